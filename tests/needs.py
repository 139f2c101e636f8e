"""What a test does when a tool is missing."""

import os
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skip the test; fail it where CI is set, because a gate must not skip anything."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
