"""Metadata of a model file, validated once at load time."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.errors import ModelError

MODEL_NAME = "digits"
MAX_CLASSES = 256  # a shadow message has one byte for a class
GOLDEN_SHAPE = (28, 28)  # an MNIST image, and the input of the network


@dataclass(frozen=True)
class Tensor:
    """One input or output. The datatype is `UINT8` or `FP32`; a length of -1 means any."""

    name: str
    datatype: str
    shape: list[int]


# The signature that the service needs. The last length of the first output is the number of classes.
INPUTS = (Tensor("image", "UINT8", [-1, -1, -1]),)
OUTPUTS = (
    Tensor("probabilities", "FP32", [-1, -1]),
    Tensor("digit_score", "FP32", [-1]),
    Tensor("normalized", "UINT8", [-1, *GOLDEN_SHAPE]),
    Tensor("box", "FP32", [-1, 4]),
)


def outputs_for(n_classes: int) -> tuple[Tensor, ...]:
    """Return the outputs of a model with this number of classes."""
    return replace(OUTPUTS[0], shape=[-1, n_classes]), *OUTPUTS[1:]


@dataclass(frozen=True)
class Thresholds:
    """The limits that `serving.model.decisions` applies.

    Attributes:
        digit_score: in 0..1, both exclusive; ink with a lower score is not a digit.
        confidence: in 0..1, 0 exclusive; a digit whose largest probability is lower is unsure.
    """

    digit_score: float
    confidence: float


@dataclass(frozen=True)
class ModelCard:
    """The response of `GET /api/model`. `version` is the first 12 hex digits of the file's `sha256`."""

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
    """Images and the answers of the original model, which are stored in the file. A damaged file answers differently.

    Attributes:
        images: uint8 [n, 28, 28].
        probabilities: float64 [n, classes].
        digit_score: float64 [n].
        states: as `serving.model.decisions` names them.
    """

    images: npt.NDArray[np.uint8]
    probabilities: npt.NDArray[np.float64]
    digit_score: npt.NDArray[np.float64]
    states: list[str]


def read_golden(metadata: Mapping[str, str], n_classes: int) -> GoldenAnswers:
    """Return the golden answers in a file's metadata.

    Raises:
        ModelError: they are missing or malformed.
    """
    values = _object(metadata, "golden")
    try:
        states = [str(state) for state in values["states"]]
        pixels = np.frombuffer(base64.b64decode(values["images"], validate=True), np.uint8)
        images = pixels.reshape(len(states), *GOLDEN_SHAPE)
        probabilities = np.array(values["probabilities"], np.float64).reshape(len(states), n_classes)
        digit_score = np.array(values["digit_score"], np.float64).reshape(len(states))
    except Exception:  # such as an OverflowError for huge numbers
        raise ModelError(
            "its metadata 'golden' lacks 'images' in base64, 'probabilities', 'digit_score' or 'states', or they have "
            "different lengths"
        ) from None
    if not states:
        raise ModelError("its metadata 'golden' is empty")
    return GoldenAnswers(images, probabilities, digit_score, states)


def read_card(
    sha256: str, size_bytes: int, inputs: list[Tensor], outputs: list[Tensor], metadata: Mapping[str, str]
) -> ModelCard:
    """Return the card of a model file.

    Args:
        sha256: of the file, in hex.
        size_bytes: size of the file.
        inputs: inputs in the file's order.
        outputs: outputs in the file's order.
        metadata: the file's `metadata_props`.

    Raises:
        ModelError: the service does not support the signature or the metadata; the message names the first fault.
    """
    classes = _classes(metadata)
    _check_signature("input", inputs, INPUTS)
    _check_signature("output", outputs, outputs_for(len(classes)))
    return ModelCard(
        name=MODEL_NAME,
        version=sha256[:12],
        sha256=sha256,
        size_bytes=size_bytes,
        inputs=inputs,
        outputs=outputs,
        classes=classes,
        thresholds=_thresholds(metadata),
        normalizer=_text(metadata, "normalizer"),
        params_sha256=_text(metadata, "params_sha256"),
        parameters=_object(metadata, "parameters"),
        data=_object(metadata, "data"),
        metrics=_object(metadata, "metrics"),
        network=_object(metadata, "network"),
        training=_object(metadata, "training"),
        evaluation=_object(metadata, "evaluation"),
        experiments=_objects(metadata, "experiments"),
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
    # A converter may declare a fixed length as -1, any length. The warm-up run checks it.
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
    names = _json(metadata, "classes")
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ModelError(f"its metadata 'classes' is not a list of names: {str(names)[:80]!r}")
    if not 2 <= len(names) <= MAX_CLASSES or len(set(names)) < len(names):
        raise ModelError(f"its metadata 'classes' must have 2 to {MAX_CLASSES} different names: {str(names)[:80]!r}")
    return names


def _thresholds(metadata: Mapping[str, str]) -> Thresholds:
    values = _object(metadata, "thresholds")
    try:
        thresholds = Thresholds(float(values["digit_score"]), float(values["confidence"]))
    except (KeyError, TypeError, ValueError):
        raise ModelError(f"its metadata 'thresholds' lacks a number 'digit_score' or 'confidence': {values}") from None
    if not (0 < thresholds.digit_score < 1 and 0 < thresholds.confidence <= 1):
        raise ModelError(f"its thresholds must hold 0 < digit_score < 1 and 0 < confidence <= 1: {values}")
    return thresholds
