"""Resolve pyproject.toml into the hashed lock files beside this one: `python -m requirements.lock`.

Lock files contain names, versions and hashes, but no addresses: pip uses its configured index.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMPILE = ["pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate",
           "--no-header", "--quiet"]  # fmt: skip


def lock(project: Path, name: str, *options: str) -> None:
    """Write requirements/<name>.txt of a project. Keep the locked versions where possible."""
    command = [sys.executable, "-m", "uv", *COMPILE, "--output-file", f"requirements/{name}.txt", *options]
    subprocess.run(command, cwd=project, check=True)


def lock_all(project: Path = ROOT, *upgrade: str) -> None:
    """Write all lock files of a project."""
    lock(project, "all", "pyproject.toml", "--all-extras", *upgrade)
    # The smaller lock files use the versions of the largest, so that all environments agree.
    for smaller, extras in (("serving", ()), ("serving-test", ("--extra", "test"))):
        lock(project, smaller, "pyproject.toml", *extras, "--constraint", "requirements/all.txt", *upgrade)
    lock(project, "sbom", "--group", "sbom", *upgrade)


if __name__ == "__main__":
    _, upgrade = argparse.ArgumentParser(usage=__doc__).parse_known_args()
    lock_all(ROOT, *upgrade)  # such as --upgrade, or --upgrade-package dvc
