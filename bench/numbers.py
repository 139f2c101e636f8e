"""Fit the weights that read numbers from strokes, on strings of validation writers.

python -m bench.numbers

The weights maximise the confidence of the true readings, of strings and of single digits. The limit of the cost is the
highest cost of a string that is read right, so that it loses none of them. They are printed for the section `number` of
params.yaml, and written to bench/results/numbers.json with the figures of each kind of string, and of letters of the
training families, and with the time that six digits take. The model file, params.yaml and
data/prepared/validation_drawings.npz are read, and no test data.
"""

import argparse
import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize

from bench import begin
from pipeline.base.errors import InklingError
from pipeline.base.files import read_arrays
from pipeline.base.markdown import interval, table
from pipeline.base.paths import PREPARED, Outputs
from pipeline.evaluation.numbers import (
    KINDS,
    LATE,
    String,
    became_number,
    make_letters,
    make_string,
    make_strings,
    read_numbers,
)
from pipeline.evaluation.statistics import proportion
from pipeline.sources.unipen import unpack
from serving.errors import ModelError
from serving.model.predictor import Predictor
from serving.numbers.decode import Reading, are_on_one_line, decode, step_cost
from serving.numbers.reader import Answers, Sketch, read_number, sketch
from serving.numbers.weights import NumberWeights

NAMES = [field.name for field in fields(NumberWeights) if field.name != "max_cost"]
NO_LIMIT = 100.0
# The cost of a step is linear in the weights.
UNITS = [NumberWeights(*[*row, NO_LIMIT]) for row in np.eye(len(NAMES)).tolist()]
N_EACH = 60  # strings of each length and spacing
N_LETTERS = 400  # of each family
N_TIMED = 4  # rounds over the strings of six digits
SEED = 5
# Standard deviation of the weights beforehand. Without it, what never happens in the strings would cost infinitely.
SPREAD = 3.0


class Case:
    """A string, and the model's answers for its candidates."""

    def __init__(self, predictor: Predictor, string: String) -> None:
        self.string = string
        self.sketch: Sketch | None = sketch(string.strokes)
        self.truth: list[int] | None = None
        if self.sketch is None:
            return
        prediction = predictor.run(self.sketch.pictures)
        self.probabilities: list[list[float]] = prediction.probabilities.tolist()
        self.scores: list[float] = prediction.digit_score.tolist()
        places = {candidate.strokes: index for index, candidate in enumerate(self.sketch.candidates)}
        if all(strokes in places for strokes in string.digits):
            self.truth = [places[strokes] for strokes in string.digits]

    def right_reading(self, weights: NumberWeights) -> Reading | None:
        """Return the best reading if it is the true one."""
        if self.sketch is None:
            return None
        arguments = self.probabilities, self.scores, self.sketch.line, len(self.string.strokes), weights
        readings = decode(self.sketch.candidates, *arguments)
        return readings[0] if readings and readings[0].digits == self.string.label else None


def cases(predictor: Predictor) -> dict[str, list[Case]]:
    """Return the strings of each kind: the spacings, late strokes, and single digits."""
    drawings = unpack(read_arrays(PREPARED / "validation_drawings.npz", made_by="prepare"))
    strings = {
        kind: make_strings(drawings, N_EACH, gaps, np.random.default_rng((SEED, place)), kind == LATE)
        for place, (kind, gaps) in enumerate(KINDS.items())
    }
    strings["single"] = [make_string([drawing], (0, 0), np.random.default_rng(SEED)) for drawing in drawings]
    return {kind: [Case(predictor, string) for string in every] for kind, every in strings.items()}


class Graph:
    """The readings of all cases as paths: a step reads one more digit. It gives the mean loss and its gradient."""

    def __init__(self, every: Sequence[Case]) -> None:
        self.n_cases = self.n_states = 0
        rows: list[tuple[int, int, int, int, bool]] = []
        costs: list[list[float]] = []
        for case in every:
            if case.sketch and case.truth:
                self._add(case, case.sketch, case.truth, rows, costs)
                self.n_cases += 1
        self.case, self.level, self.source, self.target, is_true = np.array(rows).T
        self.is_true = is_true.astype(float)
        self.costs = np.array(costs)
        first_rows = np.flatnonzero(np.diff(self.case, prepend=-1))
        # States are numbered by level, so that of all strokes is the last of its case.
        self.starts = np.minimum.reduceat(self.source, first_rows)
        self.ends = np.maximum.reduceat(self.target, first_rows)

    def _add(self, case: Case, drawn: Sketch, truth: Sequence[int], rows: list[Any], costs: list[Any]) -> None:
        candidates = drawn.candidates
        everything = (1 << drawn.n_strokes) - 1
        levels: list[list[tuple[int, int]]] = [[(0, -1)], *([] for _ in range(drawn.n_strokes))]
        numbers = {(0, -1): self.n_states}
        steps = set(zip([-1, *truth], truth, strict=False))
        for level, states in enumerate(levels):
            for mask, last in states:
                for index, candidate in enumerate(candidates):
                    # The first stroke from the left that is not read yet must be the candidate's first.
                    if candidate.mask & mask or candidate.mask & -candidate.mask != ~mask & (mask + 1):
                        continue
                    previous = candidates[last] if last >= 0 else None
                    if previous and not are_on_one_line(previous.box, candidate.box):
                        continue
                    covered = mask | candidate.mask
                    key = (covered, -1 if covered == everything else index)
                    if key not in numbers:
                        numbers[key] = -1
                        levels[covered.bit_count()].append(key)
                    rows.append((self.n_cases, level, (mask, last), key, (last, index) in steps))
                    costs.append([step_cost(previous, candidate, case.scores[index], drawn.line, one) for one in UNITS])
        for key in [key for states in levels for key in states]:
            numbers[key] = self.n_states
            self.n_states += 1
        n_new = sum(1 for row in rows if row[0] == self.n_cases)
        rows[-n_new:] = [
            (n, level, numbers[start], numbers[end], is_true) for n, level, start, end, is_true in rows[-n_new:]
        ]

    def loss(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the mean of minus the log of the true cut's share, and the gradient."""
        cost = self.costs @ weights
        levels = [np.flatnonzero(self.level == level) for level in range(self.level.max() + 1)]
        forth, back = np.full(self.n_states, -np.inf), np.full(self.n_states, -np.inf)
        forth[self.starts], back[self.ends] = 0, 0
        for steps in levels:
            np.logaddexp.at(forth, self.target[steps], forth[self.source[steps]] - cost[steps])
        for steps in reversed(levels):
            np.logaddexp.at(back, self.source[steps], back[self.target[steps]] - cost[steps])
        total = forth[self.ends]
        share = np.exp(forth[self.source] - cost + back[self.target] - total[self.case])
        spread = weights / SPREAD**2
        loss = self.is_true @ cost + total.sum() + 0.5 * float(weights @ spread)
        return loss / self.n_cases, (self.costs.T @ (self.is_true - share) + spread) / self.n_cases


def fit(by_kind: Mapping[str, Sequence[Case]]) -> tuple[NumberWeights, float]:
    """Return the weights with the least mean loss, and the loss. The digits' probabilities do not depend on them."""
    graph = Graph([case for every in by_kind.values() for case in every])
    found = minimize(graph.loss, np.ones(len(NAMES)), jac=True, method="L-BFGS-B", bounds=[(-20, 20)] * len(NAMES))
    return NumberWeights(*[*found.x.round(2).tolist(), NO_LIMIT]), round(float(found.fun), 6)


def limit(by_kind: Mapping[str, Sequence[Case]], weights: NumberWeights) -> float:
    """Return the highest cost of a string that is read right, rounded up."""
    readings = (case.right_reading(weights) for kind in KINDS for case in by_kind[kind])
    return math.ceil(100 * max(reading.cost for reading in readings if reading)) / 100


def figures(by_kind: Mapping[str, Sequence[Case]], weights: NumberWeights) -> dict[str, dict[str, float]]:
    """Return the share that is read right and the mean loss, for each kind of string."""
    found = {}
    for kind, every in by_kind.items():
        writers = np.array([case.string.writer for case in every])
        right = np.array([case.right_reading(weights) is not None for case in every])
        found[kind] = {"n": len(every), **proportion("accuracy", right, writers)}
    return found


def letters_figures(predictor: Predictor, weights: NumberWeights) -> dict[str, float]:
    """Return the share of the letters of several strokes, of the training families, that is read as several digits."""
    letters = make_letters(N_LETTERS, np.random.default_rng(SEED), is_held_out=False)
    strokes, thresholds = [letter.strokes for letter in letters], asdict(predictor.card.thresholds)
    numbers = read_numbers(lambda pictures: predictor.run(pictures).arrays(), strokes, weights, thresholds)
    return {"n": len(letters), **proportion("became_number", became_number(numbers))}


def time_six_digits(predictor: Predictor, tight: Sequence[Case], weights: NumberWeights) -> dict[str, float]:
    """Return the median and the 95 % quantile of the ms from the strokes of six digits to their number, on one core."""

    def model(pictures: np.ndarray) -> Answers:
        prediction = predictor.run(pictures)
        return prediction.probabilities, prediction.digit_score

    thresholds, times_ms = predictor.card.thresholds, []
    for case in N_TIMED * [case for case in tight if len(case.string.label) == 6]:
        started_s = time.perf_counter()
        read_number(case.string.strokes, model, weights, thresholds.digit_score, thresholds.confidence)
        times_ms.append(1000 * (time.perf_counter() - started_s))
    return {name: round(float(np.quantile(times_ms, q)), 1) for name, q in {"median": 0.5, "p95": 0.95}.items()}


def section(results: Mapping[str, Any]) -> str:
    """Return the section of docs/measurements.md."""
    weights = table(results["weights"], [[f"{value:g}" for value in results["weights"].values()]])
    rows = [(kind, f"{row['n']:,}", interval(row, "accuracy", 2), "") for kind, row in results["validation"].items()]
    letters, six = results["letters"], results["six_digits_ms"]
    rows.append(("letters of several strokes", f"{letters['n']:,}", "", interval(letters, "became_number", 2)))
    return (
        f"## The weights that read numbers\n\n`{results['origin']['command']}`, fitted on strings of validation "
        f"writers:\n\n{weights}\n\n{table(('strings', 'number', 'read right', 'become a number'), rows)}\n\n"
        f"Six tight digits take {six['median']} ms of one core, {six['p95']} at the 95 % quantile, on "
        f"{results['origin']['cpu']}."
    )


def main() -> None:
    """Print the weights and the figures, and write bench/results/numbers.json."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    save = begin("numbers")
    try:
        predictor = Predictor.load(Outputs().model)
        by_kind = cases(predictor)
    except (InklingError, ModelError) as error:
        sys.exit(f"error: {error}")
    weights, loss = fit(by_kind)
    weights = replace(weights, max_cost=limit(by_kind, weights))
    results = {"weights": asdict(weights), "loss": loss, "validation": figures(by_kind, weights)}
    results |= {"letters": letters_figures(predictor, weights)}
    results |= {"six_digits_ms": time_six_digits(predictor, by_kind["tight"], weights)}
    print(section(save(results)))


if __name__ == "__main__":
    main()
