"""The type, meaning, unit and range of every hyperparameter. The values are in params.yaml, and only there."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

# The names of the modules, listed without importing them: they load Keras.
_ARCHITECTURES = Path(__file__).parents[1] / "network" / "architectures"
NETWORKS = tuple(sorted(path.stem for path in _ARCHITECTURES.glob("[!_]*.py")))


class _Section(BaseModel):
    # Strict: "0.1" is not a number and 1.5 not a count; a misspelt key is refused, not ignored.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class DataConfig(_Section):
    """What is read, and how it is split."""

    source: Literal["mnist", "embedded"] = Field(
        description="mnist: the 70,000 images from a mirror; embedded: 5,000 of them from a package, without a network"
    )
    seed: int = Field(ge=0, lt=2**31, description="shuffles the images before they are split")
    validation_fraction: float = Field(gt=0, lt=0.5, description="share of the training images kept for validation")
    test_fraction: float = Field(
        gt=0, lt=0.5, description="share kept for the test where there is no official test set"
    )
    pendigits: bool = Field(description="pen strokes of 44 writers beside MNIST; the embedded source has none")
    validation_writers: int = Field(ge=1, le=29, description="of the 30 training writers, kept for validation")
    extra_strokes: str | None = Field(
        min_length=1,
        description="directory of further drawings to train on, UNIPEN text (*.unipen), such as the service collects; "
        "null: none",
    )
    limit: int | None = Field(ge=20, description="at most so many images of each split, for a smoke test; null: all")


class StrokesConfig(_Section):
    """What drawn strokes add to the training images."""

    renders: int = Field(ge=0, le=100, description="pictures of each training drawing, each warped and drawn anew")
    skeletons: int = Field(ge=0, le=1_000_000, description="generated digits, in the shapes that MNIST hardly has")
    nondigits: int = Field(ge=0, le=1_000_000, description="made things that are no digit, to learn refusal from")


class ModelConfig(_Section):
    """The network."""

    name: Literal[NETWORKS] = Field(  # type: ignore[valid-type]
        description="a module in pipeline/network/architectures"
    )
    width: float = Field(ge=0.1, le=4, description="factor on the filters and units of every layer but the last")
    dropout: float = Field(
        ge=0, lt=1, description="share of features dropped before the last layer; seed_edge: before the last but one"
    )
    batchnorm: bool = Field(description="batch normalisation in every convolution")


class AugmentConfig(_Section):
    """Ranges of the random changes; each is drawn uniformly in plus or minus its range unless told, 0 turns it off."""

    rotation: float = Field(ge=0, le=1.6, description="radians")
    scale: float = Field(ge=0, lt=1, description="relative, each axis on its own")
    shear: float = Field(ge=0, le=1, description="slope")
    shift: float = Field(ge=0, le=14, description="pixels of the 28x28 grid, each axis on its own")
    elastic: float = Field(ge=0, le=14, description="pixels; knots of a smooth field, each axis on its own")
    thickness: float = Field(ge=0, le=1, description="of the lines, pixels on each side")
    blur: float = Field(ge=0, le=1, description="from 0; share of a copy mixed in, softened by 1.15 pixels")


class TrainConfig(_Section):
    """The recipe."""

    parts: list[Literal["mnist", "pendigits", "skeletons", "nondigits"]] = Field(
        min_length=1,
        description="of the prepared images, to learn from and to validate with; extra drawings go with pendigits",
    )
    seed: int = Field(ge=0, lt=2**31, description="initial weights, order of the images, warps and dropout")
    epochs: int = Field(ge=1, le=1000, description="at most; a cosine ends with them")
    patience: int | None = Field(
        ge=1,
        description="stop after so many epochs without a better validation accuracy, and keep the best; null: the last",
    )
    batch_size: int = Field(ge=1, le=8192, description="images")
    optimizer: Literal["muon", "adamw"] = Field(description="of the convolutions; all else is AdamW's")
    learning_rate: float = Field(gt=0, le=1, description="at its peak")
    schedule: Literal["cosine", "constant"] = Field(
        description="after the warm-up: down to 0 as a cosine, or always at its peak"
    )
    warmup_epochs: float = Field(ge=0, description="the learning rate rises from 0 in these")
    weight_decay: float = Field(
        ge=0, lt=1, description="decoupled, of all but biases; relative to the learning rate; 0 makes AdamW Adam"
    )
    label_smoothing: float = Field(ge=0, lt=1, description="share of the target spread over all classes")
    refusal_weight: float = Field(ge=0, le=10, description="of the loss of digit or not, beside that of the classes")
    ema_decay: float = Field(ge=0, lt=1, description="of the moving average of the weights, a step; 0: no average")
    augment: AugmentConfig


class DecisionConfig(_Section):
    """How the thresholds between digit, unsure and not a digit are fitted to the validation images."""

    refused: float = Field(ge=0, lt=0.5, description="share of the digits of a kind that may be called not a digit")
    accuracy: float = Field(gt=0.5, lt=1, description="share of right answers among those called a digit")


class RuntimeConfig(_Section):
    """How the numbers are computed: it changes the bits of the result, not its meaning."""

    mode: Literal["portable", "fast"] = Field(
        description="portable: AVX2 and FMA alone, whatever processor and environment offer; "
        "fast: all that this processor offers"
    )
    threads: int = Field(ge=1, le=256, description="of TensorFlow; the number changes the order of sums")
    precision: Literal["float32", "mixed_bfloat16", "auto"] = Field(
        description="of training; auto: mixed_bfloat16 where the processor has AMX, else float32"
    )
    deterministic: bool = Field(description="bit-for-bit repeatable operations")

    @model_validator(mode="after")
    def _portable_is_exact(self) -> Self:
        """Raises ValueError where a value makes the bits depend on the processor or the moment."""
        if self.mode == "portable" and (self.precision != "float32" or not self.deterministic):
            raise ValueError(
                "mode=portable needs precision=float32 and deterministic=true; "
                f"mode=fast takes precision={self.precision} and deterministic={str(self.deterministic).lower()}"
            )
        return self


class EvaluateConfig(_Section):
    """How much is measured."""

    nondigits: int = Field(ge=1, le=100_000, description="things of each family that is no digit, to measure refusal")


class ExportConfig(_Section):
    """The model file."""

    opset: int = Field(ge=13, le=18, description="of ONNX; 18 is the newest that tf2onnx writes")
    parity_tolerance: float = Field(gt=0, le=0.01, description="largest difference of a probability, file to network")


class ExperimentConfig(_Section):
    """What makes a run one of the experiments in conf/experiment; it changes nothing of what is computed."""

    name: str | None = Field(description="the preset's; null: none of them")
    hypothesis: str | None = Field(description="what was expected before the first run")
    published: float | None = Field(ge=0, le=1, description="accuracy on MNIST's test images that others reported")


class Config(_Section):
    """All of params.yaml."""

    data: DataConfig
    strokes: StrokesConfig
    model: ModelConfig
    train: TrainConfig
    decision: DecisionConfig
    runtime: RuntimeConfig
    evaluate: EvaluateConfig
    export: ExportConfig
    experiment: ExperimentConfig
