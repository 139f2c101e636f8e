import numpy as np
import onnxruntime
import pytest

from pipeline.config.values import load_config
from pipeline.modelfile.onnx_graph import convert
from pipeline.network.calibration import Calibration
from pipeline.network.networks import build_network
from pipeline.reader.model import Reader, read_all

NETWORKS = ("inkling", "seed_vision", "seed_edge")


def network(*overrides, **options):
    return build_network(load_config(overrides).model, **options)


@pytest.mark.parametrize(
    ("name", "n_weights", "as_published"),
    [("inkling", 195_051, None), ("seed_vision", 225_163, 225_034), ("seed_edge", 694_091, 693_962)],
)
def test_each_network_has_its_shape_and_its_number_of_weights(name, n_weights, as_published):
    built = network(f"model.name={name}")
    assert built.input_shape == (None, 28, 28, 1)
    assert built.output_shape == (None, 11)
    assert built.count_params() == n_weights
    if as_published:
        published = network(f"model={name}", n_outputs=10)
        assert published.output_shape == (None, 10)
        assert published.count_params() == as_published


@pytest.mark.parametrize("name", NETWORKS)
def test_width_dropout_and_batch_normalisation_mean_the_same_in_each(name):
    plain, narrow = (network(f"model.name={name}", *rest) for rest in ((), ("model.width=0.5",)))
    sizes, halves = (
        [layer.get_weights()[0].shape[-1] for layer in built.layers if layer.get_weights()] for built in (plain, narrow)
    )
    assert halves == [size // 2 for size in sizes[:-1]] + [11]
    dropped = network(f"model.name={name}", "model.dropout=0.35")
    assert [layer.rate for layer in dropped.layers if hasattr(layer, "rate")] == [0.35]
    kinds, plain_kinds = (
        [type(layer).__name__ for layer in built.layers]
        for built in (network(f"model.name={name}", "model.batchnorm=true"), plain)
    )
    assert "BatchNormalization" not in plain_kinds
    assert kinds.count("BatchNormalization") == kinds.count("Conv2D") == plain_kinds.count("Conv2D") > 0


@pytest.mark.parametrize("name", NETWORKS)
def test_each_network_converts_and_answers_alike(name, digits):
    built = network(f"model.name={name}", "model.width=0.25", "model.batchnorm=true")
    rng = np.random.default_rng(0)
    built.set_weights([rng.uniform(0.1, 0.2, weights.shape) for weights in built.get_weights()])  # statistics too
    reader = Reader(built, Calibration(1.0, {}))
    session = onnxruntime.InferenceSession(convert(reader, 18, {}).SerializeToString())
    images = digits[0][::500]
    (found,) = session.run(["probabilities"], {"image": images})
    assert found == pytest.approx(read_all(reader, images)["probabilities"], abs=1e-4)
