"""Gates that a model must pass to become champion. No gate reads a test set.

The challenger must not be worse than the champion on the same images (McNemar's exact test). The parts of the images
share the significance level equally (Bonferroni); otherwise more parts would reject more models that are equally good.
Fixed limits prevent many small losses from adding up. If the champion was validated on other images, the two are not
compared, because the champion may have been trained on the challenger's validation images.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.base.arrays import join_batches
from pipeline.base.errors import ConfigError
from pipeline.base.parts import find_part
from pipeline.base.paths import CONF
from pipeline.dataset.splits import NO_DIGIT, Split, part_slices
from pipeline.evaluation.statistics import mcnemar
from pipeline.registry.latency import draw_one, time_pairs
from serving.model.decisions import is_refused, states
from serving.model.predictor import Predictor

LIMITS = CONF / "gates.yaml"
BATCH = 500  # images
CANVAS_PX = 280  # side of the page's picture
N_PAIRS = 300  # number of pairs of timed runs


class Limits(BaseModel):
    """The limits in conf/gates.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    mnist: float = Field(ge=0, le=1, description="least share of MNIST's validation images that are read correctly")
    strokes: float = Field(ge=0, le=1, description="the same of pen strokes, or of generated ones where there are none")
    nondigits: float = Field(ge=0, le=1, description="least share of non-digits that are refused")
    p_value: float = Field(gt=0, lt=1, description="level of all tests together, below which a model is worse")
    latency_ratio: float = Field(gt=0, description="largest ratio to the champion's time, on a picture of the page")
    size_bytes: int = Field(ge=1, description="largest file")


@dataclass(frozen=True)
class Gate:
    """One condition."""

    name: str
    value: float | None  # None if it can't be compared; the gate then passes
    limit: float
    is_least: bool  # the limit is the least allowed value, otherwise the largest
    note: str = ""  # origin of the value, or why there is none

    @property
    def passes(self) -> bool:
        """Return whether the value is within the limit. NaN fails; a missing value passes."""
        if self.value is None:
            return True
        return self.value >= self.limit if self.is_least else self.value <= self.limit

    def __str__(self) -> str:
        """Return the result in one line."""
        if self.value is None:
            return f"not compared: {self.note}"
        value, limit = (f"{x:,}" if isinstance(x, int) else f"{x:.4g}" for x in (self.value, self.limit))
        comparison = f"{value}, {'at least' if self.is_least else 'at most'} {limit}"
        return f"{'holds' if self.passes else 'FAILS'}: {comparison}{self.note and f' ({self.note})'}"


def load_limits(path: Path = LIMITS) -> Limits:
    """Read the limits. Raise ConfigError if the file can't be read, or a limit is missing, unknown or out of range."""
    try:
        return Limits.model_validate(yaml.safe_load(path.read_text()))
    except ValidationError as error:
        problems = (
            "".join(f"{key}: " for key in one["loc"]) + f"{one['msg']}: {one['input']!r}" for one in error.errors()
        )
        raise ConfigError("\n".join(f"conf/{path.name}: {problem}" for problem in problems)) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"conf/{path.name} can't be read; fix it, or restore it from git:\n{error}") from error


def absolute_gates(right: Mapping[str, np.ndarray], size_bytes: int, limits: Limits) -> list[Gate]:
    """Return the gates that need no champion, from the result of `find_correct` and the size of the file."""
    gates = [
        Gate(part, float(hits.mean()), getattr(limits, find_part(part).gate), True, f"of {len(hits)} validation images")
        for part, hits in right.items()
    ]
    return [*gates, Gate("size_bytes", size_bytes, limits.size_bytes, False)]


def relative_gates(
    right: Mapping[str, np.ndarray], champions: Mapping[str, np.ndarray] | None, ratio: float, limits: Limits
) -> list[Gate]:
    """Return the gates that compare with the champion. `champions` is None if it was validated on other images."""
    gates = []
    for part, hits in right.items():
        p_value, note = None, "the champion was validated on other images, and may have been trained on these"
        if champions is not None:
            n_lost, n_won = int((champions[part] & ~hits).sum()), int((hits & ~champions[part]).sum())
            p_value, note = mcnemar(n_lost, n_won, "greater"), f"{n_won} images won, {n_lost} lost"
        gates.append(Gate(f"{part}_p_value", p_value, limits.p_value / len(right), True, note))
    return [*gates, Gate("latency_ratio", ratio, limits.latency_ratio, False, f"median of {N_PAIRS} pairs")]


def find_correct(predictor: Predictor, validation: Split, parts: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Return which images a model file answers correctly.

    The images are normalised. The file normalises them again, which changes about one image in several hundred.

    Returns:
        bool ``[n]`` for each part: digits that are read correctly and not refused, non-digits that are refused.
    """
    n_images = len(validation.labels)
    batches = [predictor.run(validation.images[start : start + BATCH]) for start in range(0, n_images, BATCH)]
    answers = join_batches([batch.arrays() for batch in batches])
    refused = is_refused(states(answers, asdict(predictor.card.thresholds)))
    is_read = ~refused & (answers["probabilities"].argmax(axis=1) == validation.labels)
    right = np.where(validation.labels == NO_DIGIT, refused, is_read)
    return {name: right[part] for name, part in part_slices(parts).items()}


def latency_ratio(challenger: Predictor, champion: Predictor) -> float:
    """Return the median over pairs of consecutive runs: the challenger's time divided by the champion's."""
    times = time_pairs({"challenger": challenger.run, "champion": champion.run}, draw_one(CANVAS_PX), N_PAIRS)
    return float(np.median(times["challenger"] / times["champion"]))
