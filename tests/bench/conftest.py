import pytest

from pipeline.config.values import load_config
from pipeline.runtime.mode import set_up


@pytest.fixture(scope="session", autouse=True)
def runtime():
    """TensorFlow's threads, set before any test makes it start."""
    set_up(load_config().runtime, seed=0)
