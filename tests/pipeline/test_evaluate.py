import numpy as np
import pytest

from pipeline.evaluate import measure


def test_figures_of_known_answers():
    probabilities = np.full((100, 10), 0.02)
    probabilities[:, 3] = 0.82
    labels = np.full(100, 3)
    labels[:10] = 4
    metrics = measure("test", probabilities, labels)
    assert metrics["test_accuracy"] == 0.9
    assert metrics["test_errors"] == 10
    # Wilson's interval for 90 of 100, e.g. Newcombe 1998: 0.8256 to 0.9448.
    assert (metrics["test_accuracy_low"], metrics["test_accuracy_high"]) == pytest.approx((0.8256, 0.9448), abs=1e-4)
    assert metrics["test_loss"] == pytest.approx(-(0.9 * np.log(0.82) + 0.1 * np.log(0.02)), abs=1e-6)
    assert metrics["test_ece"] == pytest.approx(0.08, abs=1e-6)
