"""One installed service for all tests that need one."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from requirements.service import UV, service


@dataclass
class Installed:
    """The service in an environment of its own.

    Attributes:
        wheel: that was installed; the source distribution lies beside it.
        python: of the environment.
        packages: versions by name, when nothing else had been installed.
    """

    wheel: Path
    python: Path
    packages: dict[str, str]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Built from this folder, and installed from the lock; needs the package index, so for slow tests alone."""
    wheel, python = service(tmp_path_factory.mktemp("service"))
    command = [*UV, "pip", "list", "--format", "json", "--python", str(python)]
    listed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return Installed(wheel, python, {package["name"]: package["version"] for package in listed})
