"""Two processes that share the tests between them must know them by the same names."""

import os
import subprocess
import sys

import pytest

from tests.contract.imports import ROOT


@pytest.mark.slow
def test_the_tests_are_called_alike_in_every_process():
    """A name with a time, an address or a set's order in it is the same by chance too often to be noticed."""

    def collected(hash_seed):
        command = (sys.executable, "-m", "pytest", "--collect-only", "--quiet", "--override-ini", "addopts=")
        seeded = os.environ | {"PYTHONHASHSEED": hash_seed}
        done = subprocess.run(command, cwd=ROOT, env=seeded, capture_output=True, text=True, check=True)
        return [line for line in done.stdout.splitlines() if "::" in line]

    # One after the other, so that the clock has moved on in between.
    first, second = collected("1"), collected("2")
    assert len(first) > 1000
    assert first == second
