"""Resolve pyproject.toml into the hashed lock files beside this one: `python -m requirements.lock`.

They carry names, versions and hashes, but no address: pip takes the packages from wherever it is configured to.
"""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
COMPILE = ["pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11", "--generate-hashes",
           "--no-annotate", "--no-header", "--quiet"]  # fmt: skip


def lock(name: str, *options: str) -> None:
    """Write requirements/<name>.txt."""
    command = [sys.executable, "-m", "uv", *COMPILE, "--output-file", f"requirements/{name}.txt", *options]
    subprocess.run(command, cwd=FOLDER.parent, check=True)


if __name__ == "__main__":
    upgrade = sys.argv[1:]  # such as --upgrade, or --upgrade-package dvc
    lock("all", "--all-extras", *upgrade)
    # The smaller ones take their versions from the whole, so that all environments agree.
    for smaller, extras in (("serving", ()), ("serving-test", ("--extra", "test"))):
        lock(smaller, *extras, "--constraint", "requirements/all.txt", *upgrade)
