"""The model's card: what the file says about itself, read and checked once when it is loaded."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.errors import ModelError

MODEL_NAME = "digits"
N_CLASSES = 10
GOLDEN_SHAPE = (28, 28)  # an MNIST image, and what the network sees


@dataclass(frozen=True)
class Tensor:
    """One input or output: its name, its type as `UINT8` or `FP32`, its shape with -1 where any length goes."""

    name: str
    datatype: str
    shape: list[int]


# Names, types and shapes that the service is written for.
INPUTS = (Tensor("image", "UINT8", [-1, -1, -1]),)
OUTPUTS = (
    Tensor("probabilities", "FP32", [-1, N_CLASSES]),
    Tensor("digit_score", "FP32", [-1]),
    Tensor("normalized", "UINT8", [-1, *GOLDEN_SHAPE]),
    Tensor("box", "FP32", [-1, 4]),
)


@dataclass(frozen=True)
class Thresholds:
    """What an answer must reach to count: `serving.model.decisions` has the rule.

    Attributes:
        digit_score: in 0..1, both exclusive; ink with a lower score is not a digit.
        confidence: in 0..1, 0 exclusive; a digit whose largest probability is lower is not certain.
    """

    digit_score: float
    confidence: float


@dataclass(frozen=True)
class ModelCard:
    """What `GET /api/model` tells; `version` is the first 12 hex digits of the file's `sha256`.

    A file need not tell of `parameters`, `training`, `evaluation` and `experiments`: they are empty then.
    """

    name: str
    version: str
    sha256: str
    size_bytes: int
    inputs: list[Tensor]
    outputs: list[Tensor]
    classes: list[str]
    thresholds: Thresholds
    normalizer: str
    params_sha256: str
    parameters: dict[str, Any]
    data: dict[str, Any]
    metrics: dict[str, Any]
    network: dict[str, Any]
    training: dict[str, Any]
    evaluation: dict[str, Any]
    experiments: list[dict[str, Any]]


@dataclass(frozen=True)
class GoldenAnswers:
    """Pictures in the file, and what it said of each when it was made: a copy that says otherwise is damaged.

    Attributes:
        images: uint8 [n, 28, 28].
        probabilities: float64 [n, 10].
        digit_score: float64 [n].
        states: of each, as `serving.model.decisions` names them.
    """

    images: npt.NDArray[np.uint8]
    probabilities: npt.NDArray[np.float64]
    digit_score: npt.NDArray[np.float64]
    states: list[str]


def read_golden(metadata: Mapping[str, str]) -> GoldenAnswers:
    """The golden answers in a file's metadata.

    Raises:
        ModelError: there are none, or they are malformed.
    """
    values = _object(metadata, "golden")
    try:
        states = [str(state) for state in values["states"]]
        pixels = np.frombuffer(base64.b64decode(values["images"], validate=True), np.uint8)
        images = pixels.reshape(len(states), *GOLDEN_SHAPE)
        probabilities = np.array(values["probabilities"], np.float64).reshape(len(states), N_CLASSES)
        digit_score = np.array(values["digit_score"], np.float64).reshape(len(states))
    except Exception:  # such as an OverflowError, of numbers that are none
        raise ModelError(
            "its metadata 'golden' lacks 'images' in base64, 'probabilities', 'digit_score' or 'states', or they are "
            "of different numbers"
        ) from None
    if not states:
        raise ModelError("its metadata 'golden' is empty")
    return GoldenAnswers(images, probabilities, digit_score, states)


def read_card(
    sha256: str, size_bytes: int, inputs: list[Tensor], outputs: list[Tensor], metadata: Mapping[str, str]
) -> ModelCard:
    """The card of a model file.

    Args:
        sha256: of the file, in hex.
        size_bytes: of the file.
        inputs: the file's own, in its order.
        outputs: the file's own, in its order.
        metadata: the file's `metadata_props`.

    Raises:
        ModelError: signature or metadata are not what the service is written for; the text names the first fault.
    """
    _check_signature("input", inputs, INPUTS)
    _check_signature("output", outputs, OUTPUTS)
    return ModelCard(
        name=MODEL_NAME,
        version=sha256[:12],
        sha256=sha256,
        size_bytes=size_bytes,
        inputs=inputs,
        outputs=outputs,
        classes=_classes(metadata),
        thresholds=_thresholds(metadata),
        normalizer=_text(metadata, "normalizer"),
        params_sha256=_text(metadata, "params_sha256"),
        parameters=_object({"parameters": "{}", **metadata}, "parameters"),
        data=_object(metadata, "data"),
        metrics=_object(metadata, "metrics"),
        network=_object(metadata, "network"),
        training=_object({"training": "{}", **metadata}, "training"),
        evaluation=_object({"evaluation": "{}", **metadata}, "evaluation"),
        experiments=_objects({"experiments": "[]", **metadata}, "experiments"),
    )


def _check_signature(kind: str, found: list[Tensor], expected: tuple[Tensor, ...]) -> None:
    by_name = {tensor.name: tensor for tensor in found}
    for tensor in expected:
        if tensor.name not in by_name:
            raise ModelError(f"it has no {kind} {tensor.name!r}, but {sorted(by_name)}")
        if not _fits(by_name[tensor.name], tensor):
            raise ModelError(f"its {kind} {_described(by_name[tensor.name])} should be {_described(tensor)}")
    if len(found) != len(expected):
        raise ModelError(f"it has {len(found)} {kind}s instead of {len(expected)}: {sorted(by_name)}")


def _fits(found: Tensor, expected: Tensor) -> bool:
    if found.datatype != expected.datatype or len(found.shape) != len(expected.shape):
        return False
    # A converter may leave a fixed length unsaid (-1); the warm-up run then sees the real one.
    return all(length in (wanted, -1) for length, wanted in zip(found.shape, expected.shape, strict=True))


def _described(tensor: Tensor) -> str:
    return f"{tensor.name!r} {tensor.datatype} {tensor.shape}"


def _text(metadata: Mapping[str, str], key: str) -> str:
    if not metadata.get(key):
        raise ModelError(f"its metadata has no {key!r}")
    return metadata[key]


def _json(metadata: Mapping[str, str], key: str) -> object:
    text = _text(metadata, key)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ModelError(f"its metadata {key!r} is not JSON: {text[:80]!r}") from None


def _object(metadata: Mapping[str, str], key: str) -> dict[str, Any]:
    value = _json(metadata, key)
    if not isinstance(value, dict):
        raise ModelError(f"its metadata {key!r} is not a JSON object: {str(value)[:80]!r}")
    return value


def _objects(metadata: Mapping[str, str], key: str) -> list[dict[str, Any]]:
    values = _json(metadata, key)
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise ModelError(f"its metadata {key!r} is not a list of JSON objects: {str(values)[:80]!r}")
    return values


def _classes(metadata: Mapping[str, str]) -> list[str]:
    classes = _json(metadata, "classes")
    if not isinstance(classes, list) or len(classes) != N_CLASSES or not all(isinstance(name, str) for name in classes):
        raise ModelError(f"its metadata 'classes' is not a list of {N_CLASSES} names: {str(classes)[:80]!r}")
    return classes


def _thresholds(metadata: Mapping[str, str]) -> Thresholds:
    values = _object(metadata, "thresholds")
    try:
        thresholds = Thresholds(float(values["digit_score"]), float(values["confidence"]))
    except (KeyError, TypeError, ValueError):
        raise ModelError(f"its metadata 'thresholds' lacks a number 'digit_score' or 'confidence': {values}") from None
    if not (0 < thresholds.digit_score < 1 and 0 < thresholds.confidence <= 1):
        raise ModelError(f"its thresholds must hold 0 < digit_score < 1 and 0 < confidence <= 1: {values}")
    return thresholds
