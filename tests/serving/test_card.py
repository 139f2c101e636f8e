"""What a model file must say about itself."""

import json
from dataclasses import replace
from typing import Any

import pytest

from serving.card import INPUTS, OUTPUTS, ModelCard, Tensor, read_card
from serving.errors import ModelError

METADATA = {
    "classes": json.dumps([str(digit) for digit in range(10)]),
    "normalizer": "1",
    "thresholds": '{"digit": 0.9, "unsure": 0.5}',
    "params_sha256": "ab" * 32,
    "data": '{"source": "mnist"}',
    "metrics": '{"test_accuracy": 0.99}',
    "network": '{"name": "small", "n_parameters": 1000}',
}


def card(**changes: Any) -> ModelCard:
    arguments = {"inputs": list(INPUTS), "outputs": list(OUTPUTS), "metadata": METADATA, **changes}
    return read_card("0123456789abcdef" * 4, 1000, **arguments)


def test_a_good_file() -> None:
    result = card()
    assert result.version == "0123456789ab"
    assert (result.thresholds.digit, result.thresholds.unsure) == (0.9, 0.5)
    assert result.classes == list("0123456789")
    assert result.data == {"source": "mnist"}


def test_a_length_left_unsaid_is_accepted() -> None:
    card(outputs=[*OUTPUTS[:3], Tensor("box", "FP32", [-1, -1])])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"inputs": [replace(INPUTS[0], name="pixels")]}, "no input 'image'"),
        ({"inputs": [replace(INPUTS[0], datatype="FP32")]}, "FP32"),
        ({"inputs": [replace(INPUTS[0], shape=[-1, 28, 28])]}, "28, 28"),
        ({"inputs": [*INPUTS, Tensor("mask", "FP32", [-1])]}, "2 inputs instead of 1"),
        ({"outputs": list(OUTPUTS[:3])}, "no output 'box'"),
        ({"outputs": [Tensor("probabilities", "FP32", [-1, 47]), *OUTPUTS[1:]]}, "47"),
        ({"outputs": [Tensor("probabilities", "FP32", [10]), *OUTPUTS[1:]]}, "probabilities"),
    ],
)
def test_another_signature_is_refused(changes: dict[str, list[Tensor]], named: str) -> None:
    with pytest.raises(ModelError, match=named):
        card(**changes)


@pytest.mark.parametrize("key", METADATA)
def test_metadata_that_is_missing_is_named(key: str) -> None:
    with pytest.raises(ModelError, match=key):
        card(metadata={name: text for name, text in METADATA.items() if name != key})


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("classes", '["0", "1"]'),
        ("classes", "[0,1,2,3,4,5,6,7,8,9]"),
        ("thresholds", "0.9"),
        ("thresholds", "{"),
        ("thresholds", '{"digit": 0.9}'),
        ("thresholds", '{"digit": "high", "unsure": 0.5}'),
        ("thresholds", '{"digit": 0.5, "unsure": 0.9}'),
        ("thresholds", '{"digit": 0.5, "unsure": 0}'),
        ("metrics", "[]"),
    ],
)
def test_bad_metadata_is_named(key: str, text: str) -> None:
    with pytest.raises(ModelError, match=key):
        card(metadata={**METADATA, key: text})
