"""Write docs/measurements.md, and the end of docs/reproducibility.md, from the results of the benchmarks.

python -m bench.report
"""

import argparse
from importlib import import_module

from bench import read, state
from pipeline.base.files import write_text
from pipeline.base.paths import ROOT

DOCUMENT = ROOT / "docs" / "measurements.md"
REPRODUCIBILITY = ROOT / "docs" / "reproducibility.md"
SECTIONS = (
    "seeds", "networks", "ablation", "hands", "numbers", "memory", "corrections", "latency", "int8", "install", "page",
    "local", "peers", "scale",
)  # fmt: skip
MEASURED = "## Measured\n\n"  # heading of the generated part of that document
HEAD = (
    "# Measurements\n\nWritten by `python -m bench.report` from what the commands named below left; "
    "`python -m bench.all` runs them all. Times are of one machine of two cores, and only their ratios mean something "
    "elsewhere.\nWhat the model achieves is in [its card](model_card.md)."
)


def section(name: str) -> str:
    """Return the section of a benchmark, with a note if its figures are of another state, or "" without results."""
    results = read(name)
    if results is None:
        return ""
    module = import_module("bench.peers.section" if name == "peers" else f"bench.{name}")
    return str(module.section(results)) + note(state(name, results))


def note(found: str) -> str:
    """Return the note for figures whose `state` is not "current"."""
    return "" if found == "current" else f"\n\n**Old figures ({found}): they have not been measured again since.**"


def report() -> str:
    """Return docs/measurements.md. Benchmarks without results are left out."""
    return "\n\n".join(filter(None, [HEAD, *map(section, SECTIONS)])) + "\n"


def reproducibility(text: str) -> str:
    """Return the text of docs/reproducibility.md with a new measured part, or none without results."""
    measured = "\n\n".join(filter(None, map(section, ("clone", "bits"))))
    written_by_hand = text.split(MEASURED)[0].rstrip() + "\n"
    return f"{written_by_hand}\n{MEASURED}{measured}\n" if measured else written_by_hand


def main() -> None:
    """Write the documents."""
    argparse.ArgumentParser(usage=__doc__).parse_args()
    write_text(DOCUMENT, report())
    write_text(REPRODUCIBILITY, reproducibility(REPRODUCIBILITY.read_text()))


if __name__ == "__main__":
    main()
