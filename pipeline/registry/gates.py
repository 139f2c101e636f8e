"""What a model has to hold to become champion. Nothing here reads a test set: that would be choosing by it.

Against the champion, image by image: it must not be worse (McNemar's exact test). Each part of the images is tested at
its share of the level (Bonferroni), so that a model as good as the champion is seldom refused, however many parts there
are. That alone would let many small steps down add up, each too small to be seen; so there are limits that don't move,
too. Where the champion was validated on other images, it is not compared by these: it may have learnt them by heart.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.base.errors import ConfigError
from pipeline.base.paths import CONF
from pipeline.dataset.splits import NO_DIGIT, Split, part_slices
from pipeline.evaluation.statistics import mcnemar
from pipeline.reader.decisions import is_refused, states
from pipeline.registry.latency import one, time_pairs
from serving.model.predictor import Predictor

LIMITS = CONF / "gates.yaml"
BATCH = 500  # images
CANVAS_PX = 280  # as the page sends it
N_TIMED = 300  # pairs


class Limits(BaseModel):
    """All of conf/gates.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    mnist: float = Field(ge=0, le=1, description="least share of MNIST's validation images that are read right")
    strokes: float = Field(ge=0, le=1, description="the same of pen strokes, or of generated ones where there are none")
    nondigits: float = Field(ge=0, le=1, description="least share of things that are no digit that are refused")
    p_value: float = Field(
        gt=0, lt=1, description="at a smaller one, of all parts together, it is worse than the champion"
    )
    latency_ratio: float = Field(gt=0, description="largest, to the champion, timed in turn on the page's canvas")
    size_bytes: int = Field(ge=1, description="largest file")


@dataclass(frozen=True)
class Gate:
    """One condition.

    Attributes:
        name: what is looked at.
        value: what was found; None: it could not be compared, and that holds nobody up.
        limit: what is allowed.
        is_least: whether the limit is the least that is allowed; else the largest.
        note: what the value comes from, or why there is none.
    """

    name: str
    value: float | None
    limit: float
    is_least: bool
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the value is within the limit; one that is not a number isn't."""
        if self.value is None:
            return True
        return self.value >= self.limit if self.is_least else self.value <= self.limit

    def __str__(self) -> str:
        """What was found, in one line."""
        if self.value is None:
            return f"not compared: {self.note}"
        value, limit = (f"{x:,}" if isinstance(x, int) else f"{x:.4g}" for x in (self.value, self.limit))
        said = f"{value}, {'at least' if self.is_least else 'at most'} {limit}"
        return f"{'holds' if self.holds else 'FAILS'}: {said}{self.note and f' ({self.note})'}"


def load_limits(path: Path = LIMITS) -> Limits:
    """Read the limits.

    Raises:
        ConfigError: naming the key, the value and what is allowed, or why the file can't be read.
    """
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"conf/{path.name} can't be read; mend it, or take it from git again:\n{error}") from error
    if not isinstance(values, dict):
        keys = ", ".join(Limits.model_fields)
        raise ConfigError(f"conf/{path.name} must give a number to each of {keys}: `key: number`, not {values!r}")
    try:
        return Limits.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(f"conf/{path.name}: {_explain(problem)}" for problem in error.errors())) from error


def _explain(problem: Mapping[str, Any]) -> str:
    said = f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
    return said if problem["type"] == "missing" else f"{said}, not {problem['input']!r}"


def absolute_gates(right: Mapping[str, np.ndarray], size_bytes: int, limits: Limits) -> list[Gate]:
    """What every model has to hold.

    Args:
        right: as `read_right` gives it.
        size_bytes: of the file.
        limits: of the project.
    """
    least = {"mnist": limits.mnist, "nondigits": limits.nondigits}  # all else are strokes
    gates = [
        Gate(part, float(hits.mean()), least.get(part, limits.strokes), True, f"of {len(hits)} validation images")
        for part, hits in right.items()
    ]
    return [*gates, Gate("size_bytes", size_bytes, limits.size_bytes, False)]


def relative_gates(
    right: Mapping[str, np.ndarray], champions: Mapping[str, np.ndarray] | None, ratio: float, limits: Limits
) -> list[Gate]:
    """What a challenger has to hold against the champion.

    Args:
        right: as `read_right` gives it.
        champions: the champion's, of the same images; None: these are not the ones that it was validated on.
        ratio: as `latency_ratio` gives it.
        limits: of the project.
    """
    gates = []
    for part, hits in right.items():
        p_value, note = None, "the champion was validated on other images, and may have been trained on these"
        if champions is not None:
            n_lost, n_won = int((champions[part] & ~hits).sum()), int((hits & ~champions[part]).sum())
            p_value, note = mcnemar(n_lost, n_won, "greater"), f"{n_won} images won, {n_lost} lost"
        gates.append(Gate(f"{part}_p_value", p_value, limits.p_value / len(right), True, note))
    return [*gates, Gate("latency_ratio", ratio, limits.latency_ratio, False, f"median of {N_TIMED} pairs")]


def is_comparable(challenger: Predictor, champion: Predictor) -> bool:
    """Whether both were validated on the same images: then neither was trained on them."""
    of_one, of_other = (one.card.data.get("sha256", {}).get("validation") for one in (challenger, champion))
    return of_one is not None and of_one == of_other


def read_right(predictor: Predictor, validation: Split, parts: Mapping[str, int]) -> dict[str, np.ndarray]:
    """What a model file gets right, as it would be served.

    Args:
        predictor: the file.
        validation: the images. The file normalises them once more, which changes one in some hundreds, for every model.
        parts: what they consist of, as in the card of the data.

    Returns:
        bool ``[n]`` for each part: of digits, whether they are read right and not refused; of others, whether they are
        refused.
    """
    n_images = len(validation.labels)
    batches = [predictor.run(validation.images[start : start + BATCH]) for start in range(0, n_images, BATCH)]
    answers = {
        name: np.concatenate([getattr(batch, name) for batch in batches]) for name in ("digit_score", "probabilities")
    }
    refused = is_refused(states(answers, asdict(predictor.card.thresholds)))
    is_read = ~refused & (answers["probabilities"].argmax(axis=1) == validation.labels)
    right = np.where(validation.labels == NO_DIGIT, refused, is_read)
    return {name: right[part] for name, part in part_slices(parts).items()}


def latency_ratio(challenger: Predictor, champion: Predictor) -> float:
    """Time of the one to the other's: the median over pairs that ran one after the other."""
    times = time_pairs({"challenger": challenger.run, "champion": champion.run}, one(CANVAS_PX), N_TIMED)
    return float(np.median(times["challenger"] / times["champion"]))
