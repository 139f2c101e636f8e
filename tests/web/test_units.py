"""The page's modules: unit tests in Node's test runner, and the imports between their folders."""

import re

import pytest

from tests.web.node import ROOT, node

MODULES = ROOT / "web/js"
# The folders that each folder may import; app.js and cards.js may import all.
FOLDERS = {
    "base": "",
    "sheet": "base",
    "service": "",
    "number": "base",
    "local": "base number service",
    "answer": "base local memory number service",
    "memory": "base local service",
    "model": "base",
    "docs": "base sheet service",
}


def test_the_unit_tests_pass() -> None:
    done = node(
        "--test", "--test-isolation=none", "--test-reporter=dot", *sorted((ROOT / "tests/web").rglob("*.test.js"))
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_imports_only_those_of_its_row(folder: str) -> None:
    imported = {
        other
        for file in (MODULES / folder).glob("*.js")
        for other in re.findall(r'(?:from|import\(|import) ?"\.\./(\w+)', file.read_text(encoding="utf-8"))
    }
    assert imported <= set(FOLDERS[folder].split())


def test_every_folder_has_its_row() -> None:
    assert {path.name for path in MODULES.iterdir() if path.is_dir()} == {*FOLDERS}
