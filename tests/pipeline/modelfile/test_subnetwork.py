import base64
import json

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from keras import layers

from pipeline.base.classes import CLASSES
from pipeline.config.values import load_config
from pipeline.dataset.splits import DataCard
from pipeline.modelfile.golden import golden_answers
from pipeline.modelfile.metadata import definition, describe, describe_layers, named_layers
from pipeline.modelfile.onnx_graph import DIMENSIONS, convert
from pipeline.modelfile.parity import compare, run_file
from pipeline.modelfile.subnetwork import KEY, attach_network, mapping_layers
from pipeline.network.calibration import Calibration
from pipeline.network.history import Epoch
from pipeline.network.networks import build_network
from pipeline.reader.model import Reader, read_all
from serving.model.predictor import Predictor

OPSET = 18


def forked():
    """A functional network with two skips, one as a layer and one as an operator, and a function of keras.ops."""
    inputs = keras.Input((28, 28, 1))
    first = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(inputs)
    x = layers.Conv2D(4, 3, padding="same", use_bias=False)(first)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(layers.Add()([x, first]))
    x = layers.AveragePooling2D(2)(x + 2 * first)
    x = layers.Concatenate()([layers.Flatten()(x), keras.ops.max(first, axis=(1, 2))])
    return keras.Model(inputs, layers.Dense(11)(layers.Dropout(0.25)(x)))


@pytest.fixture(scope="module", params=["inkling", "forked"])
def reader(request):
    network = forked() if request.param == "forked" else build_network(load_config(["model.width=0.25"]).model)
    return Reader(network, Calibration(1.5, {"digit_score": 0.4, "confidence": 0.2}))


@pytest.fixture(scope="module")
def converted(reader):
    return convert(reader, OPSET, {"b": "2"})


@pytest.fixture(scope="module")
def model(converted, reader):
    model = onnx.ModelProto.FromString(converted.SerializeToString())
    attach_network(model, reader, OPSET)
    return model


@pytest.fixture(scope="module")
def network_entry(model):
    return json.loads({entry.key: entry.value for entry in model.metadata_props}[KEY])


def session(content):
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


def test_the_subnetwork_answers_as_the_whole_file_does(model, network_entry, digits):
    content = model.SerializeToString()
    images = np.concatenate([digits[0][::100], np.zeros((1, 28, 28), np.uint8)])  # the last is blank
    *expected, grids = session(content).run(["probabilities", "digit_score", "normalized"], {"image": images})
    merged = session(content + base64.b64decode(network_entry["fragment"]))
    inputs = {"image": np.zeros((1, 1, 1), np.uint8), network_entry["input"]: grids}
    found = merged.run([network_entry["probabilities"], network_entry["digit_score"]], inputs)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert found[1][-1] == 0  # blank
    assert len(set(expected[0].argmax(axis=1))) > 1, "answers that are all the same would agree with anything"


def test_the_features_are_the_unit_vector_before_the_last_layer(model, reader, digits):
    images = np.concatenate([digits[0][::500], np.zeros((1, 28, 28), np.uint8)])  # the last is blank
    grids, features = session(model.SerializeToString()).run(["normalized", "features"], {"image": images})
    last = reader.network.layers[-1]
    values = keras.Model(reader.network.inputs[0], last.input)(grids[..., None] / np.float32(255)).numpy()
    assert model.graph.output[-1].type.tensor_type.shape.dim[1].dim_value == values.shape[1] == reader.n_features
    expected = values[:-1] / np.linalg.norm(values[:-1], axis=1, keepdims=True)
    np.testing.assert_allclose(features[:-1], expected, atol=1e-5)
    assert not features[-1].any()
    np.testing.assert_array_equal(read_all(reader, images)["features"][-1], features[-1])


def test_a_network_without_a_short_vector_before_its_last_layer_has_no_features(digits, tmp_path):
    for end in ([layers.Dense(11), layers.ReLU()], [layers.Dense(513), layers.Dense(11)]):
        network = keras.Sequential([keras.Input((28, 28, 1)), layers.AveragePooling2D(7), layers.Flatten(), *end])
        reader = Reader(network, Calibration(1.5, {"digit_score": 0.4, "confidence": 0.2}))
        assert reader.n_features is None
    path = tmp_path / "digits.onnx"
    metadata = {"classes": json.dumps(CLASSES), "thresholds": json.dumps(reader.calibration.thresholds)}
    path.write_bytes(convert(reader, 18, metadata).SerializeToString())
    assert [output.name for output in Predictor.load(path).card.outputs] == [*DIMENSIONS][1:]
    images = digits[0][::500]
    assert compare(run_file(path, [images]), read_all(reader, images), 1e-4) < 1e-4


def test_the_maps_of_each_layer_are_those_of_keras(model, network_entry, reader, digits):
    grids = digits[0][::1000]
    merged = session(model.SerializeToString() + base64.b64decode(network_entry["fragment"]))
    inputs = {"image": np.zeros((1, 1, 1), np.uint8), network_entry["input"]: grids}
    named = named_layers(reader.network)
    found = merged.run([layer["output"] for layer in network_entry["layers"]], inputs)
    for layer, maps in zip(network_entry["layers"], found, strict=True):
        keras_layer = named[layer["name"]]
        assert layer["kind"] == type(keras_layer).__name__
        values = keras.Model(reader.network.inputs[0], keras_layer.output)(grids[..., None] / np.float32(255))
        np.testing.assert_allclose(maps, values.numpy().transpose(0, 3, 1, 2), atol=1e-4)


def test_the_kernels_of_the_convolutions_are_those_of_keras(model, network_entry, reader):
    merged = session(model.SerializeToString() + base64.b64decode(network_entry["fragment"]))
    inputs = {"image": np.zeros((1, 1, 1), np.uint8), network_entry["input"]: np.zeros((1, 28, 28), np.uint8)}
    named = named_layers(reader.network)
    found = [layer for layer in network_entry["layers"] if "kernels" in layer]
    convolutions = [name for name in named if name.startswith("conv2d")]
    # The maps of the other convolution of the forked network are normalised first.
    assert [layer["name"] for layer in found] == convolutions[: 1 if "add_1" in named else 5]
    read = ["inputs", *(layer["name"] for layer in network_entry["layers"])]
    for layer in found:
        keras_layer = named[layer["name"]]
        assert (read[read.index(layer["name"]) - 1], keras_layer.strides[0]) == (layer["reads"], layer["stride"])
        [kernels] = merged.run([layer["kernels"]], inputs)
        np.testing.assert_array_equal(kernels, keras_layer.kernel.numpy().transpose(3, 2, 0, 1))


def test_the_file_itself_stays_the_same_and_stores_no_weight_twice(converted, model, network_entry):
    assert model.graph.SerializeToString(deterministic=True) == converted.graph.SerializeToString(deterministic=True)
    assert [entry.key for entry in model.metadata_props] == ["b", KEY]
    fragment = onnx.ModelProto.FromString(base64.b64decode(network_entry["fragment"]))
    assert sum(np.prod(constant.dims) for constant in fragment.graph.initializer) < 20


def test_the_definition_builds_the_same_network(reader):
    names = {}
    exec(definition(reader.network), names)
    built, network = names["network"], reader.network
    described = describe_layers(network)
    assert json.loads(json.dumps(describe_layers(built))) == described
    assert sum(layer["n_parameters"] for layer in described) == network.count_params()
    for ours, theirs in zip(named_layers(built).values(), named_layers(network).values(), strict=True):
        ignored = {"name": None}
        assert ours.get_config() | ignored == theirs.get_config() | ignored
    built.set_weights(network.get_weights())
    images = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    np.testing.assert_array_equal(built(images), network(images))


def test_the_layers_are_named_by_kind_and_say_where_branches_come_from():
    first, second = (describe_layers(forked()) for _ in range(2))
    assert first == second, "names must not count what else was built"
    assert first[0] == {
        "name": "conv2d_1", "kind": "Conv2D", "shape": [14, 14, 4], "n_parameters": 40,
        "activation": "relu", "detail": "3x3, stride 2",
    }  # fmt: skip
    assert {row["name"]: row["inputs"] for row in first if "inputs" in row} == {
        "add_1": ["batchnormalization_1", "conv2d_1"],
        "multiply_1": ["conv2d_1"],
        "add_2": ["relu_1", "multiply_1"],
        "max_1": ["conv2d_1"],
        "concatenate_1": ["flatten_1", "max_1"],
    }
    # The convolution is finished by its normalisation, the first sum by its ReLU.
    finished = ["conv2d_1", "batchnormalization_1", "relu_1", "multiply_1", "add_2", "averagepooling2d_1"]
    assert list(mapping_layers(forked())) == finished


def test_the_service_reads_the_file_with_its_metadata(model, reader, digits, tmp_path):
    config, images = load_config([f"export.opset={OPSET}"]), digits[0][::500]
    card = DataCard("mnist", "MNIST", 1, 1, 1, {}, 0, {}, {})
    metrics = {"test": {}, "details": {}, "refusal": {"families": {}}, "steps": {}}
    metadata = describe(config, card, reader, metrics, [Epoch(1, 1, 1, 1, 1, 1)])
    metadata |= {"golden": json.dumps(golden_answers(reader, images)), "params_sha256": "0"}
    file = onnx.ModelProto.FromString(model.SerializeToString())
    onnx.helper.set_model_props(file, {entry.key: entry.value for entry in file.metadata_props} | metadata)
    path = tmp_path / "digits.onnx"
    path.write_bytes(file.SerializeToString())
    assert compare(run_file(path, [images]), read_all(reader, images), config.export.parity_tolerance) < 1e-4
    network = Predictor.load(path).card.network
    assert network["layers"] == describe_layers(reader.network)
    assert network["definition"] == definition(reader.network)
