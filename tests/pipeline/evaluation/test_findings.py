import numpy as np
import pytest

from pipeline.evaluation.findings import finding
from pipeline.network.history import Epoch

STEADY = [Epoch(1, 0.5, 0.8, 0.40, 0.90, 0.001), Epoch(2, 0.3, 0.9, 0.35, 0.95, 0.001)]
OVERFITTED = [*STEADY, Epoch(3, 0.1, 0.99, 0.5, 0.94, 0.001)]
SENTENCES = {
    "The other experiments are compared with this one.": (990, STEADY, 5.0, 0.115, None),
    "The other experiments are compared with this one; after epoch 2 the validation loss rose from 0.350 to 0.500, "
    "while the training loss fell to 0.100.": (990, OVERFITTED, 5.0, 0.115, None),
    "No significant difference from the baseline (+0.20 points, p = 0.500).": (992, STEADY, 5.0, 0.115, 990),
    "2.00 points worse than the baseline (p < 0.001); each epoch took 2.8 times as long.": (
        970,
        STEADY,
        14,
        0.115,
        990,
    ),
    "1.00 points better than the baseline (p = 0.002).": (990, STEADY, 5.0, 0.115, 980),
    "The network did not learn: it answers 1 for 99.9 % of the test images.": (100, OVERFITTED, 50.0, 0.999, 990),
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_finding(sentence):
    n_right, history, seconds, share, baseline = SENTENCES[sentence]
    images = np.arange(1000)
    compared = None if baseline is None else (images < baseline, 5.0)
    assert finding(images < n_right, history, seconds, (1, share), compared) == sentence
