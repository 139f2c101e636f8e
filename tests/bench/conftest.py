import pytest

from pipeline.config.values import load_config
from pipeline.runtime.mode import set_up


@pytest.fixture(scope="session", autouse=True)
def runtime():
    """Set the threads of TensorFlow before a test starts it."""
    set_up(load_config().runtime, seed=0)
