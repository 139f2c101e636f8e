import sys
from types import SimpleNamespace

import keras
import numpy as np
import onnxruntime
import pytest
from keras import layers

from pipeline.base.errors import ConfigError
from pipeline.config.schema import NETWORKS
from pipeline.config.values import load_config
from pipeline.modelfile.onnx_graph import convert
from pipeline.network.blocks import N_OUTPUTS
from pipeline.network.calibration import Calibration
from pipeline.network.networks import build_network
from pipeline.reader.model import Reader, read_all


def network(*overrides):
    return build_network(load_config(overrides).model)


@pytest.mark.parametrize(("name", "n_weights"), [("inkling", 125_291), ("seed_vision", 225_034 + 129)])
def test_a_network_has_the_published_number_of_weights_and_those_of_the_last_output(name, n_weights):
    assert network(f"model.name={name}").count_params() == n_weights


@pytest.mark.parametrize("name", NETWORKS)
def test_width_dropout_and_batch_normalisation_apply_to_every_network(name):
    plain, narrow = network(f"model.name={name}"), network(f"model.name={name}", "model.width=0.5")
    assert (plain.input_shape, plain.output_shape) == ((None, 28, 28, 1), (None, N_OUTPUTS))
    assert narrow.output_shape == plain.output_shape
    assert narrow.count_params() < plain.count_params() * 0.6
    changed = network(f"model.name={name}", "model.dropout=0.35", "model.batchnorm=true")
    assert [layer.rate for layer in changed.layers if hasattr(layer, "rate")] == [0.35]
    kinds, plain_kinds = ([type(layer).__name__ for layer in built.layers] for built in (changed, plain))
    assert "BatchNormalization" not in plain_kinds
    assert kinds.count("BatchNormalization") == kinds.count("Conv2D") == plain_kinds.count("Conv2D") > 0


@pytest.mark.workflow
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_converts_and_gives_the_same_answers(name, digits):
    built = network(f"model.name={name}", "model.width=0.25", "model.batchnorm=true")
    rng = np.random.default_rng(0)
    built.set_weights([rng.uniform(0.1, 0.2, weights.shape) for weights in built.get_weights()])  # statistics too
    reader = Reader(built, Calibration(1.0, {}))
    session = onnxruntime.InferenceSession(convert(reader, 18, {}).SerializeToString())
    images = digits[0][::500]
    (found,) = session.run(["probabilities"], {"image": images})
    assert found == pytest.approx(read_all(reader, images)["probabilities"], abs=1e-4)


class Doubled(layers.Layer):
    def call(self, inputs):
        return 2 * inputs


REPEATED = layers.ReLU(name="rectify")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([layers.Flatten(), layers.Dense(3)], r"\(None, 3\)"),
        ([layers.Flatten(), Doubled(name="mine"), layers.Dense(N_OUTPUTS)], "not mine"),
        ([REPEATED, REPEATED, layers.Flatten(), layers.Dense(N_OUTPUTS)], "call each layer once, not again rectify"),
    ],
)
def test_a_network_that_later_stages_cannot_use_is_refused(monkeypatch, body, message):
    module = SimpleNamespace(build=lambda *_: keras.Sequential([keras.Input((28, 28, 1)), *body]))
    monkeypatch.setitem(sys.modules, "pipeline.network.architectures.other", module)
    with pytest.raises(ConfigError, match=message):
        build_network(load_config().model.model_copy(update={"name": "other"}))
