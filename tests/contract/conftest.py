"""The service, installed without the pipeline."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from requirements.service import UV, service
from tests.conftest import FillOnce


@dataclass
class Installed:
    """The service in an environment of its own."""

    wheel: Path
    python: Path
    packages: dict[str, str]  # versions by name


@pytest.fixture(scope="session")
def installed(fill_once: FillOnce) -> Installed:
    """Build the wheel and install it with its lock. This needs the package index, so only slow tests use it."""
    directory = fill_once("service", service)
    (wheel,) = (directory / "dist").glob("*.whl")
    python = directory / "environment" / "bin" / "python"
    command = [*UV, "pip", "list", "--format", "json", "--python", str(python)]
    listed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return Installed(wheel, python, {package["name"]: package["version"] for package in listed})
