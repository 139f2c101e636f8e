"""The required metadata of a model file."""

import base64
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from serving.errors import ModelError
from serving.model.card import (
    FEATURES,
    INPUTS,
    MAX_CLASSES,
    MAX_FEATURES,
    OUTPUTS,
    ModelCard,
    Tensor,
    Thresholds,
    read_card,
    read_golden,
)

METADATA = {
    "classes": json.dumps([str(digit) for digit in range(10)]),
    "normalizer": "1",
    "thresholds": '{"digit_score": 0.5, "confidence": 0.9}',
    "memory": (
        '{"similarity": 0.4, "unknown_similarity": 0.7, "weight": 30, "score_similarity": 0.6, "score_weight": 20}'
    ),
    "params_sha256": "ab" * 32,
    "data": '{"source": "mnist"}',
    "metrics": '{"test_accuracy": 0.99}',
    "network": '{"name": "small", "n_parameters": 1000}',
    "parameters": '{"data": {}}',
    "training": '{"epoch": 3}',
    "evaluation": '{"steps": {}}',
}

FEATURES_64 = Tensor(FEATURES, "FP32", [-1, 64])


def card(**changes: Any) -> ModelCard:
    arguments = {"inputs": list(INPUTS), "outputs": [*OUTPUTS[:-1], FEATURES_64], "metadata": METADATA, **changes}
    return read_card("0123456789abcdef" * 4, 1000, **arguments)


def test_a_good_file() -> None:
    result = card()
    assert result.version == "0123456789ab"
    assert result.thresholds == Thresholds(digit_score=0.5, confidence=0.9)
    assert result.memory is not None
    assert (result.memory.similarity, result.memory.weight) == (0.4, 30)
    assert result.classes == list("0123456789")
    assert result.data == {"source": "mnist"}


def test_a_file_needs_only_two_outputs_and_two_entries() -> None:
    metadata = {key: METADATA[key] for key in ("classes", "thresholds")}
    result = card(outputs=[Tensor("others", "FP32", [-1, 64]), *OUTPUTS[:2]], metadata=metadata)
    assert result.outputs == list(OUTPUTS[:2])
    assert (result.normalizer, result.data) == (None, None)
    assert read_golden(metadata, 10) is None


@pytest.mark.parametrize("shape", [[], [-1], [-1, -1], [-1, MAX_FEATURES + 1], [-1, 8, 8]])
def test_features_that_are_no_short_vector_are_refused(shape: list[int]) -> None:
    assert card().outputs[-1] == FEATURES_64
    with pytest.raises(ModelError, match=f"1 to {MAX_FEATURES} numbers an image"):
        card(outputs=[*OUTPUTS[:2], replace(FEATURES_64, shape=shape)])


@pytest.mark.parametrize("name", ["probabilities", "digit_score"])
def test_a_file_without_a_required_output_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match=f"it has no output '{name}'"):
        card(outputs=[tensor for tensor in OUTPUTS if tensor.name != name])


@pytest.mark.parametrize(
    ("key", "text", "named"),
    [
        *((key, None, "") for key in ("classes", "thresholds")),
        ("classes", '["0"]', ""),
        ("classes", '["0", "0"]', ""),
        ("classes", '["0", ""]', ""),
        ("classes", json.dumps([*map(str, range(MAX_CLASSES + 1))]), ""),
        ("classes", "[0,1,2,3,4,5,6,7,8,9]", ""),
        ("metrics", "[]", ""),
        ("evaluation", "{", ""),
        ("thresholds", "{", ""),
        ("thresholds", "0.9", ""),
        ("thresholds", '{"confidence": 0.9, "unsure": 0.5}', "required field `digit_score`"),
        ("thresholds", '{"digit_score": "high", "confidence": 0.9}', "float"),
        ("thresholds", '{"digit_score": 0, "confidence": 0.9}', "> 0.0"),
        ("thresholds", '{"digit_score": 1, "confidence": 0.9}', "< 1.0"),
        ("thresholds", '{"digit_score": NaN, "confidence": 0.9}', r"\$.thresholds.digit_score"),
        ("thresholds", '{"digit_score": 0.5, "confidence": 0}', r"\$.thresholds.confidence"),
        ("thresholds", '{"digit_score": 0.5, "confidence": 1.01}', "<= 1.0"),
    ],
)
def test_bad_metadata_is_named(key: str, text: str | None, named: str) -> None:
    metadata = {name: value for name, value in (METADATA | {key: text}).items() if value is not None}
    with pytest.raises(ModelError, match=key) as error:
        card(metadata=metadata)
    assert re.search(named, str(error.value))


PIXELS = np.arange(2 * 784, dtype=np.uint8)
GOLDEN = {
    "images": base64.b64encode(PIXELS).decode(),
    "probabilities": [[0, 0, 0, 0, 0, 0, 0, 1, 0, 0], [0.1] * 10],
    "digit_score": [1, 0],
    "states": ["digit", "blank"],
}


@pytest.mark.parametrize(
    "changes",
    [
        *({key: None} for key in GOLDEN),
        {"images": "?"},
        {"states": ["digit"]},
        {"digit_score": [1, 0, 1]},
        {"probabilities": [10**400] * 20},
        {"images": "", "states": [], "digit_score": [], "probabilities": []},
    ],
)
def test_malformed_golden_answers_are_named(changes: dict[str, object]) -> None:
    answers = {key: value for key, value in (GOLDEN | changes).items() if value is not None}
    lacking = "".join(f".*`{key}`" for key in GOLDEN if key not in answers)
    with pytest.raises(ModelError, match=f"'golden'{lacking}"):
        read_golden({"golden": json.dumps(answers)}, 10)


def test_deep_golden_answers_are_named() -> None:
    with pytest.raises(ModelError, match="'golden' is not JSON"):
        read_golden({"golden": "[" * 200_000}, 10)
