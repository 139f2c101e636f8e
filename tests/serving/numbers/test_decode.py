"""The decoder finds the reading with the least cost among all readings."""

import math
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from serving.numbers.candidates import Candidate, boxes_of, find_candidates, line_height
from serving.numbers.decode import decode, step_cost
from serving.numbers.weights import NumberWeights

WEIGHTS = NumberWeights(score=1.5, digit=0.3, gap=3.0, late=0.4, lowness=2.0, width=3.0, overlap=5.0, max_cost=100.0)


def problem(rng: np.random.Generator, n_strokes: int) -> tuple[list[Candidate], list[list[float]], list[float], float]:
    strokes = [
        # Each goes through the middle of the line.
        np.vstack([rng.uniform((0.1 * place, 0.4), (0.1 * place + 0.2, 0.6), (5, 2)), (0.1 * place + 0.1, 0.5)])
        for place in rng.permutation(n_strokes)
    ]
    boxes = boxes_of(strokes)
    line = line_height(boxes)
    candidates = find_candidates(boxes, line)
    probabilities = rng.dirichlet(np.full(3, 0.5), len(candidates)).tolist()
    return candidates, probabilities, rng.beta(0.5, 0.5, len(candidates)).tolist(), line


def cuts(candidates: list[Candidate], mask: int, everything: int) -> Iterator[list[int]]:
    """Yield the ways to divide the strokes that are not in the mask."""
    if mask == everything:
        yield []
        return
    first = ~mask & (mask + 1)
    for index, candidate in enumerate(candidates):
        if candidate.mask & first and not candidate.mask & mask:
            yield from ([index, *rest] for rest in cuts(candidates, mask | candidate.mask, everything))


@pytest.mark.parametrize("seed", range(20))
def test_the_best_reading_and_its_confidence_are_those_of_a_full_search(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_strokes = 2 + seed % 4
    candidates, probabilities, scores, line = problem(rng, n_strokes)
    costs: dict[tuple[int, ...], float] = {}
    total = 0.0
    for cut in cuts(candidates, 0, 2**n_strokes - 1):
        steps = zip([None, *(candidates[index] for index in cut)], cut, strict=False)
        cost = sum(step_cost(last, candidates[index], scores[index], line, WEIGHTS) for last, index in steps)
        total += math.exp(-cost)
        for digits in np.ndindex(*[3] * len(cut)):
            logs = [math.log(max(probabilities[index][digit], 1e-9)) for index, digit in zip(cut, digits, strict=True)]
            costs[digits] = min(costs.get(digits, math.inf), cost - sum(logs))
    expected = sorted(costs.items(), key=lambda item: item[1])[:3]
    found = decode(candidates, probabilities, scores, line, n_strokes, WEIGHTS)
    assert [reading.digits for reading in found] == [digits for digits, _ in expected]
    for reading, (_, cost) in zip(found, expected, strict=True):
        assert reading.cost == pytest.approx(cost)
        assert reading.confidence == pytest.approx(math.exp(-cost) / total)


def test_without_a_candidate_for_a_stroke_there_is_no_reading() -> None:
    candidates, probabilities, scores, line = problem(np.random.default_rng(0), 3)
    kept = [index for index, candidate in enumerate(candidates) if 2 not in candidate.strokes]
    chosen = [[values[index] for index in kept] for values in (candidates, probabilities, scores)]
    assert decode(*chosen, line, 3, WEIGHTS) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("tops", [(0.1, 0.4, 0.7), (0.1, 0.1, 0.5)])
def test_digits_that_are_not_on_one_line_are_not_a_number(tops: tuple[float, ...]) -> None:
    strokes = [np.array([[x, top], [x, top + 0.2]]) for x, top in zip((0.3, 0.5, 0.4), tops, strict=True)]
    boxes = boxes_of(strokes)
    line = line_height(boxes)
    candidates = find_candidates(boxes, line)
    assert decode(candidates, [[0.9, 0.1]] * len(candidates), [0.9] * len(candidates), line, 3, WEIGHTS) == []


def test_several_digits_that_cost_too_much_are_not_a_number() -> None:
    uprights = [np.array([[x, 0.3], [x, 0.7]]) for x in (0.2, 0.8)]
    for strokes, is_limited in ((uprights, True), (uprights[:1], False)):
        boxes = boxes_of(strokes)
        line = line_height(boxes)
        candidates = find_candidates(boxes, line)
        scored = [[0.9, 0.1]] * len(candidates), [0.9] * len(candidates), line, len(strokes)
        [best, *_] = decode(candidates, *scored, WEIGHTS)
        assert decode(candidates, *scored, replace(WEIGHTS, max_cost=best.cost))[0] == best
        assert (decode(candidates, *scored, replace(WEIGHTS, max_cost=best.cost - 0.01)) == []) == is_limited


def test_strokes_that_lie_on_one_another_take_bounded_time() -> None:
    rng = np.random.default_rng(0)
    strokes = [rng.uniform(0.4, 0.5, (5, 2)) for _ in range(30)]
    boxes = boxes_of(strokes)
    line = line_height(boxes)
    candidates = find_candidates(boxes, line)
    probabilities = rng.dirichlet(np.full(10, 0.5), len(candidates)).tolist()
    start = time.process_time()
    [best, *_] = decode(candidates, probabilities, [0.9] * len(candidates), line, 30, WEIGHTS)
    assert time.process_time() - start < 5
    assert {index for place in best.candidates for index in candidates[place].strokes} == set(range(30))
