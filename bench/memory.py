"""Search the constants of the memory on the validation writers. `memory` in params.yaml holds the result.

python -m bench.memory

The four validation writers have too few errors to choose by. So each of them writes in many hands: a warp that is the
same for all drawings of a hand, with twice the ranges of the training. Non-digits are those of the validation images.
No test writer and no held-out family is read.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from bench import begin
from pipeline.base.errors import DataError, InklingError
from pipeline.base.files import read_arrays
from pipeline.base.markdown import percent, table
from pipeline.base.paths import PREPARED, Outputs
from pipeline.dataset.cells import CELLS, draw_cell
from pipeline.dataset.splits import NO_DIGIT, load_split
from pipeline.evaluation.learning import compare_answers, correct, split_by_writer, teach
from pipeline.evaluation.memory import Answers
from pipeline.evaluation.metrics import Answered
from pipeline.ink.warp import INK, warp
from pipeline.sources.unipen import Drawing, unpack
from serving.errors import ModelError
from serving.model.predictor import Prediction, Predictor

N_HANDS = 16
WIDER = 2  # factor on the ranges of the warp
BATCH = 250
MAX_NEWLY_WRONG = 0.001  # share of the drawings; these hands are harder to read than people's
MAX_LET_IN = 0.001  # share of the non-digits
CLASS_CONSTANTS = {
    "similarity": (0.35, 0.4, 0.45),
    "unknown_similarity": (0.6, 0.65, 0.7, 0.75),
    "weight": (20.0, 25.0, 30.0, 35.0),
}
SCORE_CONSTANTS = {"score_similarity": (0.55, 0.6, 0.65, 0.7), "score_weight": (10.0, 20.0, 40.0, 60.0, 80.0)}
STEP = 3  # every third writer, hand and non-digit for the score, because each pair has an answer
NO_SCORE = {"score_similarity": 1.0, "score_weight": 0.0}
TAUGHT = (2, 5)  # drawings of each digit
WAYS = (*(f"taught_{n_each}" for n_each in TAUGHT), "corrections")


def read_hands(predictor: Predictor, drawings: Sequence[Drawing]) -> Iterator[Answered]:
    """Yield the answers to the drawings of each writer in each hand."""
    names = ("rotation", "slant", "aspect", "bend")
    ink = INK.model_copy(update={name: WIDER * getattr(INK, name) for name in names})
    labels, writers = (np.array([getattr(drawing, name) for drawing in drawings]) for name in ("label", "writer"))
    for hand in range(N_HANDS):
        # The same seed for each drawing gives the same bend, slant and turn.
        warped = [
            Drawing(drawing.label, drawing.writer, warp(drawing.strokes, np.random.default_rng(hand), ink))
            for drawing in drawings
        ]
        predictions = [predictor.run(canvases, with_features=True) for canvases in draw_cell(warped, CELLS[0])]
        yield from split_by_writer(Answered(labels, Prediction.joined(predictions).arrays(), writers))


def read_nondigits(predictor: Predictor) -> Answers:
    """Return the answers to some of the non-digits of the validation images."""
    validation = load_split("validation")
    images = validation.images[validation.labels == NO_DIGIT][::STEP]
    starts = range(0, len(images), BATCH)
    predictions = [predictor.run(images[start : start + BATCH], with_features=True) for start in starts]
    return Prediction.joined(predictions).arrays()


def search(writers: Sequence[Answered], others: Answers, thresholds: dict[str, float]) -> dict[str, Any]:
    """Search the constants of the classes first, then those of the digit score.

    Returns:
        ``classes`` and ``score``: the result of `measure` for each choice; ``chosen``: one of the second.
    """
    classes = [
        measure(writers, None, dict(zip(CLASS_CONSTANTS, values, strict=True)) | NO_SCORE, thresholds)
        for values in product(*CLASS_CONSTANTS.values())
    ]
    best = pick(classes, lambda way: way["newly_wrong"] <= MAX_NEWLY_WRONG * way["drawings"], "errors")
    found = {name: best[name] for name in CLASS_CONSTANTS}
    score = [
        measure(writers[::STEP], others, found | dict(zip(SCORE_CONSTANTS, values, strict=True)), thresholds)
        for values in product(*SCORE_CONSTANTS.values())
    ]
    is_allowed = lambda way: way["others_refused_before"] - way["others_refused"] <= MAX_LET_IN  # noqa: E731
    return {"classes": classes, "score": score, "chosen": pick(score, is_allowed, "refused")}


def measure(
    writers: Sequence[Answered], others: Answers | None, rule: dict[str, float], thresholds: dict[str, float]
) -> dict[str, Any]:
    """Return the constants, and the result of `compare_answers` for each of `WAYS`."""
    taught = ([teach(writer, writer, n_each, rule) for writer in writers] for n_each in TAUGHT)
    every = dict(zip(WAYS, (*taught, [correct(writer, rule, thresholds) for writer in writers]), strict=True))
    return rule | {name: compare_answers(one, others, rule, thresholds) for name, one in every.items()}


def pick(rows: Sequence[dict[str, Any]], is_allowed: Callable[[dict[str, Any]], bool], figure: str) -> dict[str, Any]:
    """Return the row with the smallest sum of a figure over the ways, among those that are allowed in each way.

    Raises:
        DataError: no row is allowed.
    """
    allowed = [row for row in rows if all(is_allowed(row[way]) for way in WAYS)]
    if not allowed:
        raise DataError("no choice of the constants keeps the limits")
    return min(allowed, key=lambda row: sum(row[way][figure] for way in WAYS))


def section(results: Mapping[str, Any]) -> str:
    """Return the section of docs/measurements.md."""
    chosen = results["chosen"]
    constants = ", ".join(f"`{name}` {chosen[name]:g}" for name in (*CLASS_CONSTANTS, *SCORE_CONSTANTS))
    rows = [
        (way.replace("_", " "), f"{row['drawings']:,}", percent(row["accuracy_before"]), percent(row["accuracy"]),
         f"{row['newly_wrong']:,}", f"{row['refused_before']:,} / {row['refused']:,}",
         f"{percent(row['others_refused_before'])} / {percent(row['others_refused'])}")
        for way, row in ((way, chosen[way]) for way in WAYS)
    ]  # fmt: skip
    head = ("memory", "drawings", "accuracy without", "accuracy", "newly wrong", "digits refused without / with",
            "non-digits refused without / with")  # fmt: skip
    return (
        f"## The constants of the memory\n\n`{results['origin']['command']}`: {constants}. They are the best of "
        f"{len(results['classes'])} and then {len(results['score'])} choices, on hands of validation writers that are "
        f"harder to read than people's; the figures are of every {STEP}rd hand.\n\n" + table(head, rows)
    )


def main() -> None:
    """Print the choice, and write bench/results/memory.json."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    save = begin("memory")
    try:
        predictor = Predictor.load(Outputs().model)
        drawings = unpack(read_arrays(PREPARED / "validation_drawings.npz", made_by="prepare"))
        writers, others = list(read_hands(predictor, drawings)), read_nondigits(predictor)
        found = search(writers, others, vars(predictor.card.thresholds))
    except (InklingError, ModelError) as error:
        sys.exit(f"error: {error}")
    print(section(save(found)))


if __name__ == "__main__":
    main()
