"""The command `inkling-serve`: `python -m serving`, by a name of its own where the package is installed."""

import runpy


def main() -> None:
    """Serves; ends the process with the exit code of `python -m serving`."""
    runpy.run_module("serving", run_name="__main__")
