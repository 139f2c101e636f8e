"""The service works with the lowest versions that pyproject.toml admits."""

import subprocess
import sys

import pytest

from requirements.platforms import TESTS
from requirements.sbom import PYTHON
from requirements.service import lowest_environment
from tests.contract.imports import ROOT


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif("{}.{}".format(*sys.version_info) != PYTHON, reason="later Pythons need later versions")
def test_the_service_works_with_the_lowest_admitted_versions(tmp_path):
    python = lowest_environment(tmp_path / "environment")
    command = [python, "-m", "pytest", "-p", "no:cacheprovider", "-m", "not slow", *TESTS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
