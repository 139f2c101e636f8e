"""Finds Node, which comes from PyPI with the other packages, and what `make web` installs with its npm."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.needs import missing

ROOT = Path(__file__).parents[2]
# The environment's own programs come first: they have the locked versions.
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def node(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs Node at the top of the project, with these variables added; without a Node, the test is skipped."""
    if shutil.which("node", path=ENVIRONMENT["PATH"]) is None:
        missing("No Node: install requirements/all.txt, which has it.")
    command = ["node", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=ENVIRONMENT | environment, capture_output=True, text=True, check=False)


def package(path: str) -> Path:
    """A file of an installed npm package, by its path in node_modules; without it, the test is skipped."""
    file = ROOT / "node_modules" / path
    if not file.exists():
        missing(f"No node_modules/{path}: `make web` installs it.")
    return file
