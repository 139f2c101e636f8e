"""Small data and small networks; what loads TensorFlow or MLflow is imported where it is used."""

import shutil

import numpy as np
import pytest

from tests.project import copy_of_project


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """The 5,000 embedded MNIST images: uint8 [5000, 28, 28], labels int32 [5000]."""
    from pipeline.sources.mnist import write_embedded

    file = tmp_path_factory.mktemp("digits") / "digits.npz"
    write_embedded(file)
    with np.load(file) as stored:
        return stored["images"], stored["labels"]


@pytest.fixture
def small_project(tmp_path, digits):
    """The directory of a copy of the project with 500 prepared images, some of them digits on their side."""
    from pipeline.config.values import load_config
    from pipeline.dataset.splits import NO_DIGIT, DataCard, Split, digest, save

    directory, config = tmp_path / "inkling", load_config()
    copy_of_project(directory, [])
    chosen = np.random.default_rng(0).permutation(len(digits[1]))[:500]  # they come sorted by label
    images, labels = digits[0][chosen], digits[1][chosen]
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
    save(splits, {"test": {}}, card, directory / "data/prepared")
    return directory


@pytest.fixture(scope="session")
def reader():
    """A small reader that was not trained."""
    from pipeline.config.values import load_config
    from pipeline.network.calibration import Calibration
    from pipeline.network.networks import build_network
    from pipeline.reader.model import Reader

    network = build_network(load_config(["model.width=0.25"]).model)
    return Reader(network, Calibration(1.0, {"digit_score": 0.2, "confidence": 0.3}))


@pytest.fixture(scope="session")
def calibrated():
    """Logits float32 [20000, 10], and labels drawn with the probabilities of these logits."""
    from scipy.special import softmax

    random = np.random.default_rng(0)
    logits = random.normal(scale=3, size=(20_000, 10)).astype(np.float32)
    cumulative = softmax(logits, axis=1).cumsum(axis=1)
    return logits, (random.random((len(logits), 1)) > cumulative).sum(axis=1).clip(0, 9)


@pytest.fixture(scope="session")
def empty_store(fill_once):
    """The file of an empty MLflow database, made once, because that takes seconds."""

    def fill(directory):
        import mlflow

        directory.mkdir()
        mlflow.MlflowClient(f"sqlite:///{directory / 'mlflow.db'}").search_experiments()

    return fill_once("empty_store", fill) / "mlflow.db"


@pytest.fixture(scope="module")
def store(tmp_path_factory, empty_store):
    """The address of an MLflow database for one file of tests."""
    return f"sqlite:///{shutil.copy(empty_store, tmp_path_factory.mktemp('store') / 'mlflow.db')}"
