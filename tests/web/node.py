"""Node from the Python environment, and the npm packages that `make web` installs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.needs import missing

ROOT = Path(__file__).parents[2]
# The environment's programs come first, because they have the locked versions.
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def node(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Node at the top of the project with additional variables. Skip the test without Node."""
    if shutil.which("node", path=ENVIRONMENT["PATH"]) is None:
        missing("No Node: install requirements/all.txt, which has it.")
    command = ["node", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=ENVIRONMENT | environment, capture_output=True, text=True, check=False)


def package(path: str) -> Path:
    """Return a file of an npm package by its path in node_modules. Skip the test without it."""
    file = ROOT / "node_modules" / path
    if not file.exists():
        missing(f"No node_modules/{path}: `make web` installs it.")
    return file
