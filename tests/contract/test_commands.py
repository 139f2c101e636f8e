"""`--help` of every command."""

import pytest

from tests.contract.clone import clone_into
from tests.project import ROOT, Project

# Those of bench/peers/servers run in environments of their own.
FILES = [
    path.relative_to(ROOT).with_suffix("")
    for folder in ("bench", "deploy", "pipeline", "requirements", "serving")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if '\nif __name__ == "__main__":\n' in path.read_text() and path.parent.name != "servers"
]
NAMES = [".".join(file.parts).removesuffix(".__main__") for file in FILES]
COMMANDS = [
    pytest.param(name, marks=pytest.mark.workflow if name.startswith("pipeline.") else pytest.mark.slow)
    for name in NAMES
]


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Project:
    return clone_into(tmp_path_factory.mktemp("clone") / "inkling")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_a_command_and_does_nothing_else(clone, command):
    printed = clone.run(command, "--help", PYTHONDONTWRITEBYTECODE="1")
    assert printed.strip()
    assert "Traceback" not in printed
    assert clone.git("status", "--porcelain", "--ignored") == ""
