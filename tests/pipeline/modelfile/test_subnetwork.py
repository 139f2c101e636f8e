import base64
import json

import numpy as np
import onnx
import onnxruntime
import pytest

from pipeline.config.values import load_config
from pipeline.modelfile.metadata import definition, describe_layers
from pipeline.modelfile.onnx_graph import convert
from pipeline.modelfile.subnetwork import KEY, attach_network
from pipeline.network.calibration import Calibration
from pipeline.network.networks import build_network
from pipeline.reader.model import Reader

NETWORKS = {
    "inkling": [],
    "batchnorm": ["model.batchnorm=true"],
    "seed_vision": ["model.name=seed_vision"],
    "seed_edge": ["model.name=seed_edge", "model.width=0.5"],
}


@pytest.fixture(
    scope="module",
    params=[pytest.param(args, marks=pytest.mark.slow if args else (), id=name) for name, args in NETWORKS.items()],
)
def reader(request):
    return Reader(build_network(load_config(request.param).model), Calibration(1.5, {}))


@pytest.fixture(scope="module")
def model(reader):
    model = convert(reader, 18, {"b": "2"})
    attach_network(model, reader, 18)
    return model


@pytest.fixture(scope="module")
def alone(model):
    return json.loads({entry.key: entry.value for entry in model.metadata_props}[KEY])


def session(content):
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


def test_the_network_alone_answers_as_the_whole_does_of_what_was_normalised(model, alone, digits):
    content = model.SerializeToString()
    images = np.concatenate([digits[0][::100], np.zeros((1, 28, 28), np.uint8)])  # the last is blank
    *expected, grids = session(content).run(["probabilities", "digit_score", "normalized"], {"image": images})
    merged = session(content + base64.b64decode(alone["fragment"]))
    inputs = {"image": np.zeros((1, 1, 1), np.uint8), alone["input"]: grids}
    found = merged.run([alone["probabilities"], alone["digit_score"]], inputs)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert found[1][-1] == 0  # blank
    assert len(set(expected[0].argmax(axis=1))) > 1, "answers that are all the same would agree with anything"


def test_each_layers_maps_are_those_of_keras(model, alone, reader, digits):
    grids = digits[0][::1000]
    merged = session(model.SerializeToString() + base64.b64decode(alone["fragment"]))
    inputs = {"image": np.zeros((1, 1, 1), np.uint8), alone["input"]: grids}
    maps = dict(
        zip(
            [layer["name"] for layer in alone["layers"]],
            merged.run([layer["output"] for layer in alone["layers"]], inputs),
            strict=True,
        )
    )
    values = grids[..., None].astype(np.float32) / 255
    n_checked = 0
    for description, layer in zip(describe_layers(reader.network), reader.network.layers, strict=True):
        values = np.asarray(layer(values, training=False))
        if description["name"] in maps:
            np.testing.assert_allclose(maps[description["name"]], values.transpose(0, 3, 1, 2), atol=1e-4)
            assert description["kind"] == next(
                entry["kind"] for entry in alone["layers"] if entry["name"] == description["name"]
            )
            n_checked += 1
    assert n_checked == len(maps) >= 2


def test_the_file_alone_is_what_it_was_and_carries_no_weight_twice(model, alone, reader):
    without = convert(reader, 18, {"b": "2"})
    assert model.graph.SerializeToString(deterministic=True) == without.graph.SerializeToString(deterministic=True)
    assert [entry.key for entry in model.metadata_props] == ["b", KEY]
    fragment = onnx.ModelProto.FromString(base64.b64decode(alone["fragment"]))
    assert sum(np.prod(constant.dims) for constant in fragment.graph.initializer) < 20


def test_the_definition_builds_the_same_network(reader):
    names = {}
    exec(definition(reader.network), names)
    built, network = names["network"], reader.network
    assert describe_layers(built) == describe_layers(network)
    assert sum(layer["n_parameters"] for layer in describe_layers(network)) == network.count_params()
    for ours, theirs in zip(built.layers, network.layers, strict=True):
        ignored = {"name": None}
        assert ours.get_config() | ignored == theirs.get_config() | ignored


def test_names_do_not_count_what_else_was_built(reader):
    again = build_network(load_config().model), build_network(load_config().model)
    assert describe_layers(again[0]) == describe_layers(again[1])
    assert describe_layers(again[0])[0] == {
        "name": "conv2d_1",
        "kind": "Conv2D",
        "shape": [26, 26, 16],
        "n_parameters": 160,
        "activation": "relu",
        "detail": "3x3",
    }
