"""Metadata of a model file, validated once at load time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from serving.errors import ModelError
from serving.numbers.weights import NumberWeights

MODEL_NAME = "digits"
MAX_CLASSES = 256  # each has its own cell in the metrics
GOLDEN_SHAPE = (28, 28)  # an MNIST image, and the input of the network


def about(description: str, **limits: Any) -> Meta:
    """Describe and limit a field of a class."""
    return Meta(description=description, **limits)


Version = Annotated[str, about("The first 12 hex digits of the model file's SHA-256.", pattern="^[0-9a-f]{12}$")]
Classes = Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(min_length=2, max_length=MAX_CLASSES)]


@dataclass(frozen=True)
class Tensor:
    """One input or output. The datatype is `UINT8` or `FP32`; a length of -1 means any."""

    name: str
    datatype: str
    shape: list[int]


# The inputs that the service supplies.
INPUTS = (Tensor("image", "UINT8", [-1, -1, -1]),)
# The outputs that it can use. The last length of the first is the number of classes.
OUTPUTS = (
    Tensor("probabilities", "FP32", [-1, -1]),
    Tensor("digit_score", "FP32", [-1]),
    Tensor("normalized", "UINT8", [-1, *GOLDEN_SHAPE]),
    Tensor("box", "FP32", [-1, 4]),
    Tensor("features", "FP32", [-1, -1]),
)
# An answer has this one only if it is asked for by name.
FEATURES = OUTPUTS[-1].name
MAX_FEATURES = 512  # numbers for each image
# A model file may lack the other outputs.
N_REQUIRED_OUTPUTS = 2


@dataclass(frozen=True)
class Thresholds:
    """Ink with a lower digit score is not a digit. A digit with a lower confidence is unsure."""

    digit_score: Annotated[float, Meta(gt=0, lt=1)]
    confidence: Annotated[float, Meta(gt=0, le=1)]


Similarity = Annotated[float, Meta(ge=0, le=1)]
Weight = Annotated[float, Meta(ge=0)]


@dataclass(frozen=True)
class Memory:
    """How a client can use remembered drawings: see the guide."""

    similarity: Similarity
    unknown_similarity: Similarity
    weight: Weight
    score_similarity: Similarity
    score_weight: Weight


@dataclass(frozen=True)
class ModelCard:
    """The metadata of the model file. Entries that the file lacks are null."""

    name: str
    version: Version
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    size_bytes: int
    inputs: list[Tensor]
    outputs: list[Tensor]
    classes: Classes
    thresholds: Thresholds
    memory: Memory | None = None
    normalizer: str | None = None
    params_sha256: str | None = None
    parameters: dict[str, Any] | None = None
    data: dict[str, Any] | None = None
    metrics: dict[str, Any] | None = None
    network: dict[str, Any] | None = None
    training: dict[str, Any] | None = None
    evaluation: dict[str, Any] | None = None
    number: NumberWeights | None = None


# The entries of the file's metadata: texts, and JSON.
TEXTS = ("normalizer", "params_sha256")
JSONS = (
    "classes", "thresholds", "number", "memory", "parameters", "data", "metrics", "network", "training", "evaluation"
)  # fmt: skip


class _Golden(msgspec.Struct):
    images: bytes  # base64 in JSON
    probabilities: list[list[float]]
    digit_score: list[float]
    states: Annotated[list[str], Meta(min_length=1)]


Golden = tuple[npt.NDArray[np.uint8], dict[str, npt.NDArray[np.float64]], list[str]]


def read_golden(metadata: Mapping[str, str], n_classes: int) -> Golden | None:
    """Return the golden answers in a file's metadata: images uint8 [n, 28, 28], outputs by name, and states.

    They are answers of the original model. A damaged file answers differently. Return None if the file has none.
    """
    if "golden" not in metadata:
        return None
    try:
        golden = msgspec.convert(_json(metadata, "golden"), _Golden)
        n_images = len(golden.states)
        outputs = {
            "probabilities": np.array(golden.probabilities, np.float64).reshape(n_images, n_classes),
            "digit_score": np.array(golden.digit_score, np.float64).reshape(n_images),
        }
        return np.frombuffer(golden.images, np.uint8).reshape(n_images, *GOLDEN_SHAPE), outputs, golden.states
    except ValueError as error:
        raise ModelError(f"its metadata 'golden' cannot be used: {error}") from None


def read_card(
    sha256: str, size_bytes: int, inputs: list[Tensor], outputs: list[Tensor], metadata: Mapping[str, str]
) -> ModelCard:
    """Return the card of a model file, whose `metadata_props` are `metadata`. Leave out outputs that are not used."""
    entries = {key: _json(metadata, key) for key in JSONS if key in metadata}
    entries |= {key: metadata[key] for key in TEXTS if key in metadata}
    facts = {"name": MODEL_NAME, "version": sha256[:12], "sha256": sha256, "size_bytes": size_bytes}
    try:
        card = msgspec.convert({**facts, "inputs": inputs, "outputs": outputs, **entries}, ModelCard)
    except msgspec.ValidationError as error:
        raise ModelError(f"its metadata cannot be used: {error}") from None
    if len(set(card.classes)) < len(card.classes):
        raise ModelError(f"its metadata 'classes' has a name twice: {str(card.classes)[:80]}")
    names = [tensor.name for tensor in OUTPUTS]
    used = [tensor for tensor in outputs if tensor.name in names]
    for name in names[:N_REQUIRED_OUTPUTS]:
        if name not in [tensor.name for tensor in used]:
            raise ModelError(f"it has no output {name!r}")
    for tensor in used:
        if tensor.name == FEATURES and not (len(tensor.shape) == 2 and 0 < tensor.shape[1] <= MAX_FEATURES):
            raise ModelError(f"its output {FEATURES!r} must have 1 to {MAX_FEATURES} numbers an image: {tensor.shape}")
    return replace(card, outputs=used)


def _json(metadata: Mapping[str, str], key: str) -> Any:
    try:
        # Unlike msgspec's decoder, this one reads the NaN that Python writes for a figure without data.
        return json.loads(metadata[key])
    except (ValueError, RecursionError) as error:
        raise ModelError(f"its metadata {key!r} is not JSON: {error}") from None
