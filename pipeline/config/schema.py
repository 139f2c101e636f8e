"""The type, meaning, unit and range of every hyperparameter. Only params.yaml holds the values."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

from pipeline.base.parts import SELECTABLE

# Listed without importing the modules, which load Keras.
NETWORKS = tuple(sorted(path.stem for path in Path(__file__).parents[1].glob("network/architectures/[!_]*.py")))


class _Section(BaseModel):
    # Strict: reject "0.1" as a number, 1.5 as a count, and misspelt keys.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class DataConfig(_Section):
    """The raw data and its splits."""

    source: Literal["mnist", "embedded"] = Field(
        description="mnist: 70,000 images from a mirror; embedded: 5,000 of them from a package, offline"
    )
    seed: int = Field(ge=0, lt=2**31, description="seed for shuffling the images before the split")
    validation_fraction: float = Field(gt=0, lt=0.5, description="share of the training images used for validation")
    test_fraction: float = Field(gt=0, lt=0.5, description="share used for the test if there is no official test set")
    pendigits: bool = Field(description="add the pen strokes of 44 writers to MNIST; ignored for the embedded source")
    validation_writers: int = Field(ge=1, le=29, description="number of the 30 training writers used for validation")
    extra_strokes: str | None = Field(min_length=1, description="directory of more training drawings (*.unipen)")
    limit: int | None = Field(ge=20, description="maximum number of images in each split, for smoke tests; null: all")


class InkConfig(_Section):
    """Ranges of the random warps and pens of strokes; 0 disables a warp. Lengths are relative to the longest side."""

    rotation: float = Field(ge=0, le=1.6, description="radians, uniform between minus and plus this value")
    slant: float = Field(ge=0, le=1, description="shift of the top relative to the height, between minus and plus this")
    aspect: float = Field(ge=0, le=1, description="log of the factor on width / height, between minus and plus this")
    bend: float = Field(ge=0, le=0.2, description="standard deviation of a smooth field over the drawing")
    rounding: float = Field(ge=0, le=0.2, description="largest standard deviation of a Gaussian along the stroke")
    tremor: float = Field(ge=0, le=0.1, description="standard deviation of the shaking along the stroke")
    spacing: float = Field(ge=0, le=0.2, description="largest distance between the device's points; 0: as they are")
    thinnest: float = Field(gt=0, lt=1, description="smallest line width")
    thickest: float = Field(gt=0, lt=1, description="largest line width")
    blurred: float = Field(ge=0, le=1, description="probability of a blur")
    blur: float = Field(ge=0, le=2, description="largest standard deviation of the blur, relative to the line width")
    uneven: float = Field(ge=0, le=1, description="probability of uneven ink")
    unevenness: float = Field(ge=0, le=1, description="largest share of the ink that is lost at the faintest place")


class StrokesConfig(_Section):
    """Training images that are rendered from strokes."""

    renders: int = Field(ge=0, le=100, description="renderings of each training drawing, each warped differently")
    skeletons: int = Field(ge=0, le=1_000_000, description="generated digits, in shapes that are rare in MNIST")
    nondigits: int = Field(ge=0, le=1_000_000, description="generated non-digits, to learn refusal from")
    ink: InkConfig


class ModelConfig(_Section):
    """The network."""

    name: Literal[NETWORKS] = Field(  # type: ignore[valid-type]
        description="a module in pipeline/network/architectures"
    )
    width: float = Field(ge=0.1, le=4, description="factor on the filters and units of every layer except the last")
    dropout: float = Field(ge=0, lt=1, description="rate before the last layer")
    batchnorm: bool = Field(description="batch normalisation in every convolution")


class AugmentConfig(_Section):
    """Ranges of the random augmentation. Each value is uniform between minus and plus its range; 0 disables it."""

    rotation: float = Field(ge=0, le=1.6, description="radians")
    scale: float = Field(ge=0, lt=1, description="relative, per axis")
    shear: float = Field(ge=0, le=1, description="slope")
    shift: float = Field(ge=0, le=14, description="pixels of the 28x28 grid, per axis")
    elastic: float = Field(ge=0, le=14, description="pixels, per axis, at the knots of a smooth displacement field")
    thickness: float = Field(ge=0, le=1, description="pixels on each side of the lines")
    blur: float = Field(ge=0, le=1, description="share of a copy blurred by 1.15 pixels; drawn from 0 to this value")


class TrainConfig(_Section):
    """The training recipe."""

    parts: list[Literal[SELECTABLE]] = Field(  # type: ignore[valid-type]
        min_length=1, description="parts for training and validation; pendigits includes the extra drawings"
    )
    seed: int = Field(ge=0, lt=2**31, description="seed for initial weights, shuffling, augmentation and dropout")
    epochs: int = Field(ge=1, le=1000, description="maximum number of epochs; a cosine schedule ends with the last")
    patience: int | None = Field(
        ge=1, description="epochs without improvement to stop after; keeps the best; null: off"
    )
    hardest: float = Field(gt=0, le=1, description="share of the images in each epoch after the first; see Trainer")
    batch_size: int = Field(ge=1, le=8192, description="images per step")
    optimizer: Literal["muon", "adamw"] = Field(description="optimizer of the convolutions; AdamW trains the rest")
    learning_rate: float = Field(gt=0, le=1, description="peak learning rate")
    schedule: Literal["cosine", "constant"] = Field(description="after the warm-up; cosine falls to 0")
    warmup_epochs: float = Field(ge=0, description="number of epochs in which the learning rate rises from 0")
    weight_decay: float = Field(ge=0, lt=1, description="decoupled, relative to the learning rate, not on biases")
    label_smoothing: float = Field(ge=0, lt=1, description="share of the target that is spread over all classes")
    refusal_weight: float = Field(ge=0, le=10, description="weight of the digit-or-not loss; the class loss has 1")
    ema_decay: float = Field(ge=0, lt=1, description="decay per step of the averaged weights; 0: no average")
    augment: AugmentConfig


class DecisionConfig(_Section):
    """Conditions for fitting the decision thresholds to the validation images."""

    refused: float = Field(ge=0, lt=0.5, description="largest share of the digits of a part that may be refused")
    accuracy: float = Field(gt=0.5, lt=1, description="share of correct answers among those reported as a digit")


class NumberConfig(_Section):
    """The weights that divide strokes into the digits of a number, and a limit; `python -m bench.numbers` fits them.

    They are parts of a cost, relative to minus the log of a digit's probability. Lengths are in heights of the line.
    """

    score: float = Field(ge=-100, le=100, description="weight of minus the log of the digit score")
    digit: float = Field(ge=-100, le=100, description="constant for each digit")
    gap: float = Field(ge=-100, le=100, description="weight of the widest gap between the strokes of a digit")
    late: float = Field(ge=-100, le=100, description="weight of a stroke of another digit between those of a digit")
    lowness: float = Field(ge=-100, le=100, description="weight of how much lower than the line a digit is")
    width: float = Field(ge=-100, le=100, description="weight of how much wider than high a digit is")
    overlap: float = Field(ge=-100, le=100, description="weight of how much a digit overlaps the next")
    max_cost: float = Field(ge=-100, le=100, description="several digits that cost more are not a number")


class MemoryConfig(_Section):
    """How answers use remembered drawings of the same writer. `python -m bench.memory` searches these values."""

    similarity: float = Field(ge=0, le=1, description="cosine above which a remembered drawing attracts an answer")
    unknown_similarity: float = Field(ge=0, le=1, description="the same if the digit that was read is not remembered")
    weight: float = Field(ge=0, le=1000, description="log-odds of a digit for each unit of similarity above that")
    score_similarity: float = Field(ge=0, le=1, description="cosine above which the digit score rises")
    score_weight: float = Field(ge=0, le=1000, description="log-odds of the digit score for each unit above that")


class RuntimeConfig(_Section):
    """How numbers are computed. This changes the bits of the result, not its meaning."""

    mode: Literal["portable", "fast"] = Field(description="portable: AVX2 and FMA only; fast: all instructions")
    threads: int = Field(ge=1, le=256, description="TensorFlow threads; their number changes the order of sums")
    precision: Literal["float32", "mixed_bfloat16"] = Field(
        description="precision of the training; mixed_bfloat16 is faster on a processor with AMX"
    )
    deterministic: bool = Field(description="only operations that are repeatable to the bit")

    @model_validator(mode="after")
    def _require_exact_portable(self) -> Self:
        if self.mode == "portable" and (self.precision != "float32" or not self.deterministic):
            given = f"precision={self.precision} and deterministic={str(self.deterministic).lower()}"
            raise ValueError(f"mode=portable needs precision=float32 and deterministic=true; mode=fast takes {given}")
        return self


class EvaluateConfig(_Section):
    """The size of the evaluation."""

    nondigits: int = Field(ge=1, le=100_000, description="generated non-digits of each family, to measure refusal")


class ExportConfig(_Section):
    """The model file."""

    opset: int = Field(ge=13, le=18, description="ONNX opset; 18 is the newest that tf2onnx writes")
    parity_tolerance: float = Field(gt=0, le=0.01, description="maximum difference in probability, file to network")


class ExperimentConfig(_Section):
    """Description of an experiment in conf/experiment. It does not affect any computation."""

    name: str | None = Field(description="name of the preset; null: none")
    hypothesis: str | None = Field(description="expected result, written before the first run")
    published: float | None = Field(ge=0, le=1, description="published accuracy on the MNIST test images")


class Config(_Section):
    """All values of params.yaml."""

    data: DataConfig
    strokes: StrokesConfig
    model: ModelConfig
    train: TrainConfig
    decision: DecisionConfig
    number: NumberConfig
    memory: MemoryConfig
    runtime: RuntimeConfig
    evaluate: EvaluateConfig
    export: ExportConfig
    experiment: ExperimentConfig


def unknown(key: str) -> str:
    """Return that there is no such key, and the nearest one."""
    if key.startswith("hydra."):
        return f"there is no {key}; `python -m pipeline.train --cfg hydra` lists the keys"
    keys = ["model", "experiment", "size", "hydra/sweeper", "hydra/launcher", *_keys(Config)]
    nearest = difflib.get_close_matches(key, keys, n=1)
    return f"there is no {key}; {f'did you mean {nearest[0]}?' if nearest else 'params.yaml lists the keys'}"


def _keys(section: Any, prefix: str = "") -> Iterator[str]:
    for name, field in getattr(section, "model_fields", {}).items():
        yield prefix + name
        yield from _keys(field.annotation, f"{prefix}{name}.")


def _field(key: str) -> FieldInfo:
    """Return the field of a dotted key, also of a list item such as "train.parts.0"."""
    field = FieldInfo(annotation=Config)
    for name in key.split("."):
        field = getattr(field.annotation, "model_fields", {name: field})[name]
    return field


def describe(key: str) -> str:
    """Return the description of a dotted key and its allowed values."""
    section, _, name = key.rpartition(".")
    schema = _field(section).annotation.model_json_schema()["properties"][name]  # type: ignore[union-attr]
    return f"{schema['description']} [{' or '.join(map(_allowed, schema.get('anyOf', [schema])))}]"


def _allowed(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(schema["enum"])
    words = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    limits = [f"{word} {schema[limit]}" for limit, word in words.items() if limit in schema]
    kind = {"boolean": "true or false", "integer": "a whole number", "number": "a number"}.get(schema["type"])
    return ", ".join([kind or schema["type"], *limits])


def explain(problem: Mapping[str, Any]) -> str:
    """Return the key of a validation error, the rule, the value and the description of the key."""
    key, message = ".".join(map(str, problem["loc"])), problem["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    match problem["type"]:
        case "missing":
            return f"{key} is missing from params.yaml"
        case "extra_forbidden":
            return unknown(key)
        case "value_error":  # the rule is about several keys
            return f"{key}: {message}"
    return f"{key}: {message}, not {problem['input']!r} ({_field(key).description})"
