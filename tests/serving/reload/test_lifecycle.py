"""Models are loaded and unloaded while requests are answered; a bad file changes nothing."""

import asyncio
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from serving.errors import ModelError
from serving.metrics import LOADS, Metrics
from serving.model.predictor import Predictor
from serving.queue.engine import Engine
from serving.reload import lifecycle as lifecycle_module
from serving.reload.lifecycle import Lifecycle
from tests.serving.conftest import MODEL
from tests.serving.drawings import draw
from tests.serving.models import with_damaged_weights, with_metadata

SEVEN = np.asarray(draw(7))[None]
GOOD = MODEL.read_bytes()
OTHER = with_metadata(note="another version of the same model")
BAD = {
    "truncated": GOOD[: len(GOOD) // 2],
    "deep golden answers": with_metadata(golden="[" * 200_000),
    "damaged weights": with_damaged_weights(),
}


def version_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


@pytest.fixture
def may_go_on(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    event = threading.Event()

    load = Predictor.load

    def slowly(path: Path) -> Predictor:
        assert event.wait(60)
        return load(path)

    monkeypatch.setattr(Predictor, "load", slowly)
    return event


@pytest.fixture
def lifecycle(tmp_path: Path) -> Lifecycle:
    path = tmp_path / "digits.onnx"
    path.write_bytes(GOOD)
    lifecycle = Lifecycle(path, Engine(), Metrics())
    lifecycle.start()
    return lifecycle


def counted(lifecycle: Lifecycle) -> tuple[int, ...]:
    assert LOADS == ("loaded", "refused", "unloaded")
    return tuple(map(int, lifecycle.metrics.read(lifecycle.metrics.loads)))


def version(lifecycle: Lifecycle) -> str:
    return lifecycle.engine.model.card.version


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_and_the_old_model_stays(
    lifecycle: Lifecycle, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    before = lifecycle.engine.predictor
    lifecycle.path.write_bytes(content)
    with pytest.raises(ModelError):
        asyncio.run(lifecycle.load())
    assert lifecycle.engine.predictor is before
    assert counted(lifecycle) == (0, 1, 0)
    assert "the model in use stays" in caplog.text
    assert asyncio.run(lifecycle.engine.predict(SEVEN)).verdicts[0].digit == 7
    with pytest.raises(ModelError):
        lifecycle.start()


def test_good_files_and_unloads_are_used(lifecycle: Lifecycle, caplog: pytest.LogCaptureFixture) -> None:
    lifecycle.path.write_bytes(OTHER)
    for _ in range(2):
        asyncio.run(lifecycle.load())
        assert version(lifecycle) == version_of(OTHER)
    asyncio.run(lifecycle.unload())
    assert lifecycle.engine.predictor is None
    asyncio.run(lifecycle.load())
    assert version(lifecycle) == version_of(OTHER)
    assert counted(lifecycle) == (3, 0, 1)
    assert [record.levelname for record in caplog.records] == 3 * ["WARNING"]  # not for the same model again


def test_an_unload_waits_for_the_load_before_it(lifecycle: Lifecycle, may_go_on: threading.Event) -> None:
    async def main() -> None:
        loading = asyncio.ensure_future(lifecycle.load())
        await asyncio.sleep(0)
        unloading = asyncio.ensure_future(lifecycle.unload())
        await asyncio.sleep(0)
        may_go_on.set()
        await asyncio.gather(loading, unloading)

    asyncio.run(main())
    assert lifecycle.engine.predictor is None


def watch(lifecycle: Lifecycle, monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], object]) -> None:
    """Let the service look at its file once after each step."""
    todo = iter(steps)

    async def sleep(_: float) -> None:
        step = next(todo, None)
        if step is None:
            raise asyncio.CancelledError
        step()

    monkeypatch.setattr(lifecycle_module, "asyncio", SimpleNamespace(sleep=sleep))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(lifecycle.watch())


def write(lifecycle: Lifecycle, content: bytes) -> Callable[[], object]:
    return lambda: lifecycle.path.write_bytes(content)


def rest() -> None:
    return


def test_a_watched_file_is_loaded_when_it_is_complete(lifecycle: Lifecycle, monkeypatch: pytest.MonkeyPatch) -> None:
    def check_old() -> None:
        assert version(lifecycle) == version_of(GOOD)

    def check_new() -> None:
        assert version(lifecycle) == version_of(OTHER)

    def write_part(n_bytes: int) -> Callable[[], object]:
        return lambda: (check_old(), lifecycle.path.write_bytes(OTHER[:n_bytes]))

    parts = map(write_part, (0, 1000, len(OTHER) // 2, len(OTHER)))
    watch(lifecycle, monkeypatch, check_old, check_old, *parts, check_old, check_new, check_new)
    assert counted(lifecycle) == (1, 0, 0)


def test_the_watch_goes_on_after_any_failure(
    lifecycle: Lifecycle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Path) -> Predictor:
        raise OSError("No space left on device")

    with monkeypatch.context() as context:
        context.setattr(Predictor, "load", fail)
        watch(lifecycle, monkeypatch, write(lifecycle, OTHER), rest)
    assert "No space left on device" in caplog.text
    watch(lifecycle, monkeypatch, write(lifecycle, GOOD), rest, write(lifecycle, OTHER), rest)
    assert version(lifecycle) == version_of(OTHER)


def test_a_change_between_start_and_watch_is_seen(lifecycle: Lifecycle, monkeypatch: pytest.MonkeyPatch) -> None:
    lifecycle.path.write_bytes(OTHER)
    watch(lifecycle, monkeypatch, rest, rest)
    assert version(lifecycle) == version_of(OTHER)
