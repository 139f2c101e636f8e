import numpy as np
import pytest

from pipeline.evaluation.findings import finding
from pipeline.evaluation.statistics import mcnemar
from pipeline.network.history import Epoch

STEADY = [Epoch(1, 0.5, 0.8, 0.40, 0.90, 0.001), Epoch(2, 0.3, 0.9, 0.35, 0.95, 0.001)]
OVERFITTED = [*STEADY, Epoch(3, 0.1, 0.99, 0.5, 0.94, 0.001)]


def right(n, of=1000):
    return np.arange(of) < n


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((right(990), STEADY, 5.0, (1, 0.115), None), "What the others are compared with."),
        (
            (right(990), OVERFITTED, 5.0, (1, 0.115), None),
            "What the others are compared with; after epoch 2 the validation loss rose from 0.350 to 0.500, while the "
            "training loss fell to 0.100.",
        ),
        (
            (right(992), STEADY, 5.0, (1, 0.115), (right(990), 5.0)),
            "No more than chance apart from the baseline (+0.20 points, p = 0.500).",
        ),
        (
            (right(970), STEADY, 14.0, (1, 0.115), (right(990), 5.0)),
            "2.00 points worse than the baseline (p < 0.001); an epoch took 2.8 times as long.",
        ),
        (
            (right(990), STEADY, 5.0, (1, 0.115), (right(980), 5.0)),
            "1.00 points better than the baseline (p = 0.002).",
        ),
        (
            (right(100), OVERFITTED, 50.0, (1, 0.999), (right(990), 5.0)),
            "It learnt nothing: 1 is its answer to 99.9 % of the test images.",
        ),
    ],
)
def test_the_sentence_says_what_the_figures_say(arguments, said):
    assert finding(*arguments) == said


def test_equal_answers_differ_by_nothing():
    assert mcnemar(right(5, 10), right(5, 10)) == (0, 0, 1.0)
