import numpy as np

from pipeline.evaluation.metrics import Answered
from pipeline.evaluation.mistakes import worst_mistakes


def answered(confidences, labels):
    """All answers are 3."""
    confidences = np.array(confidences)[:, None]
    probabilities = np.where(np.arange(10) == 3, confidences, (1 - confidences) / 9)
    return Answered(np.array(labels), {"probabilities": probabilities, "digit_score": np.full(len(labels), 0.6)})


def test_the_surest_mistake_comes_first_from_whichever_test():
    tests = {"one": answered([0.99, 0.8, 0.6], [3, 5, 8]), "other": answered([0.7], [9])}
    worst = worst_mistakes(tests, {"digit_score": 0.5, "confidence": 0.75}, 50)
    assert [(mistake.source, mistake.image, mistake.actual) for mistake in worst] == [
        ("one", 1, 5), ("other", 0, 9), ("one", 2, 8)
    ]  # fmt: skip
    assert {mistake.predicted for mistake in worst} == {3}
    assert [mistake.state for mistake in worst] == ["digit", "unsure", "unsure"]


def test_a_poor_reader_s_mistakes_fit_the_sheet():
    worst = worst_mistakes(
        {"one": answered(np.linspace(0.2, 0.9, 200), [4] * 200)}, {"digit_score": 0, "confidence": 0}, 30
    )
    assert len(worst) == 30
    assert worst[0].confidence == 0.9
