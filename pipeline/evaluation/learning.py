"""Measure what an answer gains if the page remembers drawings of the same writer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from pipeline.base.classes import N_CLASSES
from pipeline.evaluation.memory import MAX_REMEMBERED, Answers, nearest, nearest_of, recall
from pipeline.evaluation.metrics import Answered
from serving.model.decisions import is_refused, states

TAUGHT = (1, 2, 5)  # drawings of each digit
OUTPUTS = ("probabilities", "digit_score", "features")


def measure_memory(
    writers: Sequence[Answered], others: Answers, rule: Mapping[str, float], thresholds: Mapping[str, float]
) -> dict[str, dict[str, Any]]:
    """Return the figures of each way to fill the memory.

    Args:
        writers: answers to the drawings of each writer, in their order, with ``features``.
        others: answers to non-digits, with ``features``.
        rule: see `recall`.
        thresholds: see `states`.

    Returns:
        - ``corrections``: only wrong and refused answers are corrected, each after it was given.
        - ``taught_1`` and so on: the writer's first drawings of each digit; the remaining ones are tested.
        - ``taught_2_by_another``: the same with the memory of the next writer.

        Each has the result of `compare_answers`. Empty without writers or features.
    """
    if not writers or "features" not in writers[0].answers:
        return {}
    ways = {"corrections": [correct(writer, rule, thresholds) for writer in writers]}
    for n_each in TAUGHT:
        ways[f"taught_{n_each}"] = [teach(writer, writer, n_each, rule) for writer in writers]
    following = [*writers[1:], writers[0]]
    ways["taught_2_by_another"] = [teach(*pair, 2, rule) for pair in zip(writers, following, strict=True)]
    return {name: compare_answers(pairs, others, rule, thresholds) for name, pairs in ways.items()}


def split_by_writer(answered: Answered) -> list[Answered]:
    """Return the answers to the drawings of each writer, in their order."""
    writers = np.asarray(answered.writers)
    return [select(answered, writers == writer) for writer in sorted(set(writers.tolist()))]


def select(answered: Answered, which: np.ndarray) -> Answered:
    """Return some of the answers, with the outputs that a memory uses."""
    answers = {name: answered.answers[name][which] for name in OUTPUTS if name in answered.answers}
    return Answered(answered.labels[which], answers)


@dataclass(frozen=True, eq=False)
class Taught:
    """Answers to the drawings of one writer.

    Attributes:
        before: answers of the model without a memory.
        after: answers to the same drawings with the memory.
        remembered: the drawings in the memory at the end.
    """

    before: Answered
    after: Answered
    remembered: Answered


def teach(tested: Answered, teacher: Answered, n_each: int, rule: Mapping[str, float]) -> Taught:
    """Answer all but the first `n_each` drawings of each digit. Remember those of the teacher."""
    is_tested, is_taught = ~is_first(tested.labels, n_each), is_first(teacher.labels, n_each)
    before, remembered = select(tested, is_tested), select(teacher, is_taught)
    similar = nearest_of(cosines(tested, teacher)[is_tested][:, is_taught], remembered.labels, N_CLASSES)
    return Taught(before, Answered(before.labels, recall(before.answers, similar, rule)), remembered)


def is_first(labels: np.ndarray, n_each: int) -> np.ndarray:
    """Return which labels are among the first `n_each` of their class: bool ``[n]``."""
    counts = np.cumsum(labels[:, None] == np.arange(N_CLASSES), axis=0)
    first: np.ndarray = counts[np.arange(len(labels)), labels] <= n_each
    return first


def correct(tested: Answered, rule: Mapping[str, float], thresholds: Mapping[str, float]) -> Taught:
    """Answer in order. Remember each drawing that was read wrong or refused, after its answer."""
    answers = {name: tested.answers[name].astype(np.float64) for name in ("probabilities", "digit_score")}
    after, corrected, start = Answered(tested.labels, answers), np.zeros(len(tested.labels), bool), 0
    while (is_due := (~after.is_right | _refused(answers, thresholds))[start:]).any():
        # The answers up to the next correction are final.
        start += int(is_due.argmax()) + 1
        corrected[start - 1] = True
        chosen = np.flatnonzero(corrected)[-MAX_REMEMBERED:]
        similar = nearest_of(cosines(tested, tested)[start:, chosen], tested.labels[chosen], N_CLASSES)
        for name, values in recall(select(tested, np.arange(start, len(after.labels))).answers, similar, rule).items():
            answers[name][start:] = values
    return Taught(tested, after, select(tested, np.flatnonzero(corrected)[-MAX_REMEMBERED:]))


@lru_cache(maxsize=500)  # a search asks for the same ones with each rule
def cosines(one: Answered, other: Answered) -> np.ndarray:
    """Return the cosine of each drawing of one with each of the other: float64 ``[n_one, n_other]``."""
    first, second = (each.answers["features"].astype(np.float64) for each in (one, other))
    return first @ second.T


def compare_answers(
    taught: Sequence[Taught], others: Answers | None, rule: Mapping[str, float], thresholds: Mapping[str, float]
) -> dict[str, Any]:
    """Return what the memories changed.

    Returns:
        - ``drawings``: number of answers. ``remembered``: mean size of a memory in the end.
        - ``accuracy``, and the numbers ``errors``, ``newly_wrong`` and ``refused``, of digits in any state.
          ``accuracy_before``, ``errors_before`` and ``refused_before`` are without a memory.
        - ``others_refused_before`` and ``others_refused``: shares of the non-digits, on average over the memories.
          Absent if `others` is None.
    """
    befores, afters = [one.before for one in taught], [one.after for one in taught]
    was_right, is_right = (np.concatenate([one.is_right for one in kind]) for kind in (befores, afters))
    figures = {
        "drawings": len(is_right),
        "remembered": round(float(np.mean([len(one.remembered.labels) for one in taught])), 1),
        "accuracy_before": round(float(was_right.mean()), 6),
        "accuracy": round(float(is_right.mean()), 6),
        "errors_before": int((~was_right).sum()),
        "errors": int((~is_right).sum()),
        "newly_wrong": int((was_right & ~is_right).sum()),
        "refused_before": sum(int(_refused(one.answers, thresholds).sum()) for one in befores),
        "refused": sum(int(_refused(one.answers, thresholds).sum()) for one in afters),
    }
    if others is None:
        return figures
    refused = []
    for one in taught:
        similar = nearest(others["features"], one.remembered.answers["features"], one.remembered.labels, N_CLASSES)
        refused.append(_refused(recall(others, similar, rule), thresholds).mean())
    return figures | {
        "others_refused_before": round(float(_refused(others, thresholds).mean()), 6),
        "others_refused": round(float(np.mean(refused)), 6),
    }


def _refused(answers: Answers, thresholds: Mapping[str, float]) -> np.ndarray:
    return is_refused(states(answers, thresholds))
