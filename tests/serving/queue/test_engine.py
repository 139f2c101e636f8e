"""Queued requests are batched, and each gets its own answer."""

import asyncio
import copy
import threading
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.errors import TimeoutExpiredError
from serving.model.predictor import Prediction, Predictor
from serving.queue.engine import MAX_BATCH_IMAGES, MAX_INLINE_PIXELS, Answer, Engine, Images
from tests.serving.drawings import STROKES, draw

SEVEN = np.asarray(draw(7).resize((28, 28)))[None]
LARGE = np.asarray(draw(7).resize((700, 700)))[None]
assert LARGE.size > MAX_INLINE_PIXELS


class Runs(list[tuple[Images, Answer]]):
    """The images and the answer of every run."""

    def __call__(self, images: Images, answer: Answer) -> None:
        self.append((images, answer))

    @property
    def sizes(self) -> list[int]:
        return [len(images) for images, _ in self]


def engine_of(predictor: Predictor) -> tuple[Engine, Runs]:
    engine, runs = Engine(), Runs()
    engine.predictor = predictor
    engine.observers.append(runs)
    return engine, runs


def together(*requests: Coroutine[Any, Any, Answer]) -> list[Any]:
    """Return the answers or errors of requests that are queued in one iteration of the event loop."""

    async def main() -> list[Any]:
        return await asyncio.gather(*requests, return_exceptions=True)

    return asyncio.run(main())


def same(found: Prediction, expected: Prediction) -> None:
    for name, values in vars(expected).items():
        its = getattr(found, name)
        assert its is values is None or np.allclose(its, values, atol=1e-5), name


def marked(predictor: Predictor, version: str, mark: float) -> Predictor:
    """Return the model with another version and with `mark` as its only score."""
    other = copy.copy(predictor)
    other.card = replace(predictor.card, version=version)

    def run(images: Images, *_: object) -> Prediction:
        return replace(predictor.run(images), digit_score=np.full(len(images), mark, np.float32))

    other.run = run  # type: ignore[method-assign]
    return other


def test_queued_images_of_one_size_are_one_run(predictor: Predictor) -> None:
    engine, runs = engine_of(predictor)
    small = np.zeros((1, 10, 12), np.uint8)
    answers = together(*(engine.predict(images) for images in (SEVEN, small, SEVEN, small, SEVEN)))
    assert sorted(runs.sizes) == [2, 3]
    assert [len(answer.verdicts) for answer in answers] == [1] * 5
    assert [answer.verdicts[0].state for answer in answers] == ["digit", "blank"] * 2 + ["digit"]


def test_a_batch_has_a_limit_and_splits_no_request(predictor: Predictor) -> None:
    engine, runs = engine_of(predictor)
    together(*(engine.predict(SEVEN) for _ in range(2 * MAX_BATCH_IMAGES + 3)))
    assert runs.sizes == [MAX_BATCH_IMAGES, MAX_BATCH_IMAGES, 3]
    runs.clear()
    more_than_half = np.repeat(SEVEN, MAX_BATCH_IMAGES // 2 + 1, axis=0)
    together(engine.predict(more_than_half), engine.predict(more_than_half), engine.predict(SEVEN))
    assert runs.sizes == [len(more_than_half), len(more_than_half) + 1]


def test_a_single_request_does_not_wait(predictor: Predictor) -> None:
    engine, runs = engine_of(predictor)

    async def n_rounds() -> int:
        task = asyncio.ensure_future(engine.predict(SEVEN))
        n_rounds = 0
        while not task.done():
            await asyncio.sleep(0)
            n_rounds += 1
        return n_rounds

    # Queued in the first round of the loop, run in the second, read in the third.
    assert asyncio.run(n_rounds()) <= 3
    assert runs.sizes == [1]


def test_cancelled_requests_are_not_run(predictor: Predictor) -> None:
    engine, runs = engine_of(predictor)

    async def leave(n_leaving: int, n_staying: int) -> list[Answer]:
        tasks = [asyncio.ensure_future(engine.predict(SEVEN)) for _ in range(n_leaving + n_staying)]
        asyncio.get_running_loop().call_soon(lambda: [task.cancel() for task in tasks[:n_leaving]])
        await asyncio.wait(tasks)
        return [task.result() for task in tasks[n_leaving:]]

    assert len(asyncio.run(leave(2, 3))) == 3
    assert runs.sizes == [3]
    asyncio.run(leave(2, 0))
    assert runs.sizes == [3]
    assert len(asyncio.run(leave(0, 1))) == 1


@settings(max_examples=15, deadline=None)
@given(
    shapes=st.lists(st.tuples(st.integers(1, 6), st.sampled_from([1, 9, 28]), st.sampled_from([5, 28])), max_size=12),
    seed=st.integers(0, 2**32 - 1),
)
def test_each_request_gets_its_own_answer(predictor: Predictor, shapes: list[tuple[int, int, int]], seed: int) -> None:
    engine, runs = engine_of(predictor)
    numbers = np.random.default_rng(seed)
    requests = [numbers.integers(0, 256, shape, np.uint8) for shape in shapes]
    answers = together(*map(engine.predict, requests))
    for images, answer in zip(requests, answers, strict=True):
        same(answer.prediction, predictor.run(images))
        assert answer.verdicts == predictor.verdicts(answer.prediction)
        assert answer.card is predictor.card
    assert sum(runs.sizes) == sum(map(len, requests))


def test_features_are_computed_only_for_who_asks(predictor: Predictor) -> None:
    expected = predictor.run(SEVEN, with_features=True)
    assert np.linalg.norm(expected.features) == pytest.approx(1, abs=1e-5)
    engine, runs = engine_of(predictor)
    asked, beside, large = together(
        engine.predict(SEVEN, with_features=True),
        engine.predict(255 - SEVEN),
        engine.predict(np.repeat(SEVEN, MAX_BATCH_IMAGES + 1, axis=0), with_features=True),
    )
    same(asked.prediction, expected)
    assert beside.prediction.features.shape == expected.features.shape
    assert np.allclose(large.prediction.features, expected.features, atol=1e-5)
    assert large.prediction.features.shape == (MAX_BATCH_IMAGES + 1, *expected.features.shape[1:])
    runs.clear()
    together(engine.predict(SEVEN), engine.predict(np.repeat(SEVEN, MAX_BATCH_IMAGES + 1, axis=0)))
    assert [answer.prediction.features for _, answer in runs] == [None, None]


def test_late_requests_are_rejected_and_not_run(predictor: Predictor) -> None:
    engine, runs = engine_of(predictor)
    late, in_time, later = together(
        engine.predict(SEVEN, timeout_s=0), engine.predict(SEVEN, timeout_s=600), engine.predict(LARGE, timeout_s=-1)
    )
    assert isinstance(late, TimeoutExpiredError)
    assert isinstance(later, TimeoutExpiredError)
    assert in_time.verdicts[0].digit == 7
    assert runs.sizes == [1]


def test_the_time_of_a_run_counts_against_the_timeout(predictor: Predictor) -> None:
    slow = copy.copy(predictor)
    pause = threading.Event()  # never set
    slow.run = lambda images, _: (pause.wait(0.02), predictor.run(images))[1]  # type: ignore[method-assign]
    engine, runs = engine_of(slow)
    for _ in range(15):
        together(engine.predict(SEVEN))
    assert isinstance(together(engine.predict(SEVEN, timeout_s=0.002))[0], TimeoutExpiredError)
    assert len(runs.sizes) == 15


@pytest.mark.parametrize(
    ("images", "sizes"),
    [
        (np.repeat(SEVEN, 2 * MAX_BATCH_IMAGES + 1, axis=0), [MAX_BATCH_IMAGES, MAX_BATCH_IMAGES, 1]),
        (np.concatenate([LARGE, 255 - LARGE]), [1, 1]),
        (np.stack([np.asarray(draw(digit)) for digit in (*STROKES, *STROKES)]), [5, 1]),
    ],
    ids=["many", "large", "both"],
)
def test_large_requests_are_run_in_parts_beside_the_loop(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch, images: Images, sizes: list[int]
) -> None:
    expected = predictor.run(images)
    seen = []

    def run(part: Images, *_: object) -> Prediction:
        seen.append((len(part), threading.current_thread() is threading.main_thread()))
        return Predictor.run(predictor, part)

    monkeypatch.setattr(predictor, "run", run)
    engine, runs = engine_of(predictor)
    (answer,) = together(engine.predict(images))
    assert seen == [(size, False) for size in sizes]
    assert runs.sizes == [len(images)]
    same(answer.prediction, expected)
    assert answer.verdicts == predictor.verdicts(answer.prediction)


def test_large_requests_hold_up_no_other(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    is_allowed = threading.Event()

    def run(images: Images, *_: object) -> Prediction:
        assert images[0].size <= MAX_INLINE_PIXELS or is_allowed.wait(60)
        return Predictor.run(predictor, images)

    monkeypatch.setattr(predictor, "run", run)
    engine, _ = engine_of(predictor)

    async def main() -> None:
        large = [asyncio.ensure_future(engine.predict(LARGE)) for _ in range(3)]
        for _ in range(5):
            assert (await engine.predict(SEVEN)).verdicts[0].digit == 7
        assert not any(task.done() for task in large)
        assert engine.large.n_tasks == 3
        is_allowed.set()
        assert [answer.verdicts[0].digit for answer in await asyncio.gather(*large)] == [7, 7, 7]

    asyncio.run(main())


def test_a_failure_reaches_all_of_its_batch_and_no_other(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(images: Images, *_: object) -> Prediction:
        if images.shape[1] == 28:
            raise RuntimeError("broken")
        return Predictor.run(predictor, images)

    monkeypatch.setattr(predictor, "run", fail)
    engine, runs = engine_of(predictor)
    blank = np.zeros((1, 5, 5), np.uint8)
    first, second, other = together(engine.predict(SEVEN), engine.predict(SEVEN), engine.predict(blank))
    assert [str(error) for error in (first, second)] == ["broken", "broken"]
    assert other.verdicts[0].state == "blank"
    assert runs.sizes == [1]
    monkeypatch.undo()
    assert together(engine.predict(SEVEN))[0].verdicts[0].digit == 7


def test_no_batch_mixes_two_models(predictor: Predictor) -> None:
    marks = {"old": 0.25, "new": 0.75}
    old, new = (marked(predictor, version, mark) for version, mark in marks.items())
    engine, runs = engine_of(old)
    engine.observers.append(lambda _, __: setattr(engine, "predictor", new if engine.predictor is old else old))
    answers = together(*(engine.predict(SEVEN) for _ in range(3 * MAX_BATCH_IMAGES)))
    assert [answer.card.version for _, answer in runs] == ["old", "new", "old"]
    for answer in [*answers, *(answer for _, answer in runs)]:
        assert set(answer.prediction.digit_score.tolist()) == {marks[answer.card.version]}
        assert {verdict.digit_score for verdict in answer.verdicts} == {marks[answer.card.version]}


def test_a_large_request_keeps_its_model_to_the_end(predictor: Predictor) -> None:
    old, new = marked(predictor, "old", 0.25), marked(predictor, "new", 0.75)
    engine, _ = engine_of(old)
    run = old.run

    def exchange_and_run(images: Images, *_: object) -> Prediction:
        engine.predictor = new
        return run(images)

    old.run = exchange_and_run  # type: ignore[method-assign]
    (answer,) = together(engine.predict(np.repeat(SEVEN, 3 * MAX_BATCH_IMAGES, axis=0)))
    assert answer.card.version == "old"
    assert set(answer.prediction.digit_score.tolist()) == {0.25}
