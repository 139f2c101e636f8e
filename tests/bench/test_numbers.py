"""The loss of the weights is minus the log of the true cut's share of all readings."""

import math

import numpy as np
import pytest

from bench.numbers import KINDS, LATE, NAMES, NO_LIMIT, SPREAD, Case, Graph, fit, limit
from pipeline.evaluation.numbers import make_string
from pipeline.sources.unipen import Drawing
from serving.model.predictor import Prediction
from serving.numbers.decode import decode, step_cost
from serving.numbers.weights import NumberWeights


class Model:
    """A model whose answers are random."""

    def run(self, pictures):
        rng = np.random.default_rng(len(pictures))
        return Prediction(rng.dirichlet(np.ones(10), len(pictures)), rng.uniform(0.01, 0.99, len(pictures)))


@pytest.fixture(scope="module")
def cases():
    upright, across = np.array([[30, 0], [30, 100]], np.float32), np.array([[0, 50], [60, 50]], np.float32)
    digits = [Drawing(4, 1, [upright, across]), Drawing(1, 1, [upright]), Drawing(7, 1, [across, upright])]
    rng = np.random.default_rng(0)
    return [Case(Model(), make_string([digits[i] for i in rng.integers(3, size=n)], (0, 0.1), rng)) for n in (1, 3, 4)]


def test_the_loss_is_that_of_the_decoder_and_its_gradient_is_right(cases):
    values = np.random.default_rng(1).uniform(0, 2, len(NAMES))
    weights = NumberWeights(*values.tolist(), NO_LIMIT)
    expected = 0.5 * float(np.square(values / SPREAD).sum())
    for case in cases:
        sketch = case.sketch
        readings = decode(sketch.candidates, case.probabilities, case.scores, sketch.line, sketch.n_strokes, weights)
        log_weight = -readings[0].cost - math.log(readings[0].confidence)
        chosen = [sketch.candidates[index] for index in case.truth]
        for last, candidate, index in zip([None, *chosen], chosen, case.truth, strict=False):
            expected += step_cost(last, candidate, case.scores[index], sketch.line, weights)
        expected += log_weight
    graph = Graph(cases)
    loss, gradient = graph.loss(values)
    assert loss == pytest.approx(expected / len(cases))
    for index, step in enumerate(1e-6 * np.eye(len(NAMES))):
        slope = (graph.loss(values + step)[0] - graph.loss(values - step)[0]) / 2e-6
        assert gradient[index] == pytest.approx(slope, abs=1e-6)


def test_the_fitted_weights_lose_less_than_others(cases):
    weights, loss = fit({"every": cases})
    graph = Graph(cases)
    assert loss <= graph.loss(np.ones(len(NAMES)))[0]
    assert graph.loss(np.array([getattr(weights, name) for name in NAMES]))[0] == pytest.approx(loss, abs=1e-3)


def test_the_limit_is_the_highest_cost_of_a_string_that_is_read_right():
    class Known:
        def __init__(self, cost):
            self.cost = cost

        def right_reading(self, _weights):
            return None if self.cost is None else self

    by_kind = {kind: [Known(cost) for cost in (place, None, -3)] for place, kind in enumerate(KINDS, start=-7)}
    by_kind[LATE].append(Known(-2.999))
    by_kind["single"] = [Known(5)]
    assert limit(by_kind, NumberWeights(*[0.0] * len(NAMES), NO_LIMIT)) == -2.99
