"""What an answer amounts to is decided twice, in what evaluates and in what serves: both must say the same."""

from dataclasses import replace

import numpy as np

from pipeline.base.paths import Outputs
from pipeline.reader.decisions import states
from serving.model.card import Thresholds
from serving.model.predictor import Predictor


def test_evaluation_and_service_decide_alike_at_and_around_the_thresholds():
    predictor = Predictor.load(Outputs().model)
    predictor.card = replace(predictor.card, thresholds=Thresholds(digit_score=0.25, confidence=0.75))
    scores, confidences = (grid.ravel() for grid in np.meshgrid([0, 1e-6, 0.24, 0.25, 0.26, 1], [0.1, 0.74, 0.75, 1]))
    probabilities = np.repeat(((1 - confidences) / 9)[:, None], 10, axis=1)
    probabilities[:, 3] = confidences
    answers = {"digit_score": scores, "probabilities": probabilities}
    found = states(answers, {"digit_score": 0.25, "confidence": 0.75}).tolist()
    assert found == [predictor.state(score, confidence) for score, confidence in zip(scores, confidences, strict=True)]
    assert set(found) == {"blank", "not_a_digit", "unsure", "digit"}
