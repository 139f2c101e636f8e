"""Workers that share a model: here two in one process, in `under_load/test_workers.py` real ones."""

import asyncio
import copy
import resource
import shutil
import signal
from pathlib import Path

import pytest

from serving import workers
from serving.errors import ModelError, NotTakenUpError, StartError
from serving.http.connection import ANSWER_S
from serving.metrics import Metrics
from serving.queue.engine import Engine
from serving.reload import lifecycle as lifecycle_module
from serving.reload.lifecycle import TAKE_UP_S, Lifecycle
from serving.reload.shared import SharedModel
from tests.serving.conftest import MODEL
from tests.serving.models import with_metadata

OTHER = with_metadata(note="another version")


@pytest.fixture
def shared(tmp_path: Path) -> SharedModel:
    return SharedModel(Path(shutil.copy(MODEL, tmp_path / "digits.onnx")), 2)


def worker(shared: SharedModel, number: int, path: Path) -> Lifecycle:
    own = copy.copy(shared)
    own.worker = number
    lifecycle = Lifecycle(path, Engine(), Metrics(), own)
    lifecycle.start()
    return lifecycle


def version(lifecycle: Lifecycle) -> str | None:
    return lifecycle.engine.predictor and lifecycle.engine.predictor.card.version


def test_a_change_that_a_worker_does_not_follow_is_an_error(
    shared: SharedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle_module, "TAKE_UP_S", 0.05)
    one, other = (worker(shared, number, tmp_path / "digits.onnx") for number in range(2))
    (tmp_path / "digits.onnx").write_bytes(OTHER)
    with pytest.raises(NotTakenUpError, match="Not every worker has followed: 1 still"):
        asyncio.run(one.load())
    asyncio.run(other.take_up())
    assert version(one) == version(other)


def test_a_copy_that_fails_changes_nothing(shared: SharedModel, tmp_path: Path) -> None:
    path = tmp_path / "digits.onnx"
    one = worker(shared, 0, path)
    before = one.engine.predictor
    path.write_bytes(OTHER)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(NotTakenUpError, match="File too large"):
            asyncio.run(one.load())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert one.engine.predictor is before
    assert not shared.is_behind
    assert version(worker(shared, 1, path)) == version(one)
    assert shared.replace(OTHER) == 1
    assert version(worker(shared, 1, path)) not in (None, version(one))


def test_the_first_workers_report_an_empty_file_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "bad.onnx"
    path.touch()
    with pytest.raises(ModelError, match=rf"The model file {path} is not usable: "):
        worker(SharedModel(path, 2), 0, path)


def test_a_missing_file_is_an_error_of_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"nowhere\.onnx cannot be copied to a temporary folder: No such file"):
        SharedModel(tmp_path / "nowhere.onnx", 2)


def test_a_load_is_answered_even_if_a_worker_hangs() -> None:
    replaced_s = workers.MAX_STILL_TICKS * workers.TICK_S + workers.RESTART_S
    assert replaced_s + 10 <= TAKE_UP_S <= ANSWER_S - 10
