"""Run the documents' curl commands; only the address of the service is replaced."""

import shutil
import subprocess

import pytest

from serving.settings import ROOT

from .under_load.process import Running

DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
LINES = [line for path in DOCUMENTS for line in path.read_text().splitlines()]
COMMANDS = [line for line in LINES if line.startswith("curl ") or " | curl " in line]


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_answered(service: Running, command: str) -> None:
    typed = command.replace("127.0.0.1:8000", service.host).replace("curl -s", "curl -s --fail")
    subprocess.run(["sh", "-c", typed], cwd=ROOT, check=True, capture_output=True)
