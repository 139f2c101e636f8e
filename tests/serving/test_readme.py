"""Run the documents' curl commands; only the address of the service is replaced."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from serving.settings import ROOT

from .drawings import draw, encode
from .under_load.process import Running

DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
COMMANDS = [line for path in DOCUMENTS for line in path.read_text().splitlines() if line.startswith("curl ")]


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_answered(service: Running, tmp_path: Path, command: str) -> None:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    (tmp_path / "digit.png").write_bytes(encode(draw(7), "PNG"))
    (tmp_path / "digit.grey").write_bytes(draw(7).resize((28, 28)).tobytes())
    words = [word.replace("127.0.0.1:8000", service.host) for word in shlex.split(command)]
    subprocess.run([*words, "--fail"], cwd=tmp_path, check=True, capture_output=True)
