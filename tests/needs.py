"""What a test does without a tool that it needs."""

import os
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skips the test. Where CI is set, fails it: what a gate does not run, it does not hold."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
