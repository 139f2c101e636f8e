"""The page's pure functions, on Node's own test runner."""

import pytest

from tests.web.node import ROOT, node

TESTS = sorted((ROOT / "tests/web").rglob("*.test.js"))


@pytest.mark.parametrize("file", TESTS, ids=lambda path: path.name)
def test_the_unit_tests_pass(file):
    done = node("--test", "--test-reporter=spec", file)
    assert done.returncode == 0, done.stdout + done.stderr
