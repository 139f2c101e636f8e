"""The shadow model reads the model's images, changes only metrics, and delays no request."""

import hashlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import numpy as np
import psutil
import pytest

from serving.metrics import SHADOW_DROPPED, Metrics
from serving.model.predictor import Predictor
from serving.queue.engine import Answer, Images
from serving.reload.shadow import BUFFER_BYTES, LOWEST_PRIORITY, Shadow
from serving.settings import ROOT
from tests.project import END_SECONDS, wait_until
from tests.serving.conftest import MODEL
from tests.serving.drawings import STROKES, draw
from tests.serving.models import golden, with_damaged_weights, with_metadata
from tests.serving.test_metrics import samples, value
from tests.serving.under_load.process import Running, running

# With these thresholds, all ink is a digit.
BLANK = golden(Predictor.load(MODEL), np.zeros((1, 28, 28), np.uint8))
LENIENT = with_metadata(thresholds='{"digit_score": 1e-30, "confidence": 1e-30}', golden=BLANK)
SCRIBBLE = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)


def answer_for(predictor: Predictor, images: Images) -> Answer:
    prediction = predictor.run(images)
    return Answer(prediction, predictor.verdicts(prediction), predictor.card, 0, 0)


Line = tuple[socket.socket, socket.socket]


@pytest.fixture
def line() -> Iterator[Line]:
    """The workers' end, and the other one, which no process reads."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def dropped(metrics: Metrics, *reasons: str) -> float:
    """Return the number of images that were not compared; all must have one of these reasons."""
    cells = dict(zip(SHADOW_DROPPED, metrics.read(metrics.shadow_dropped), strict=True))
    found = sum(cells[reason] for reason in reasons)
    assert found == sum(cells.values())
    return found


def messages(line: socket.socket) -> list[bytes]:
    line.setblocking(False)
    found = []
    with suppress(BlockingIOError):
        while True:
            found.append(line.recv(2 * BUFFER_BYTES))
    return found


def test_a_busy_shadow_never_blocks(predictor: Predictor, line: Line) -> None:
    ours, theirs = line
    metrics = Metrics()
    shadow = Shadow("1", ours, metrics)
    images = np.stack([np.asarray(draw(7))] * 2)
    answer = answer_for(predictor, images)
    for _ in range(50):  # more than the line takes: a call that blocked would hang here
        shadow.observe(images, answer)
    sent = messages(theirs)
    assert 0 < len(sent) < 50
    assert dropped(metrics, "busy") == 2 * (50 - len(sent))
    shadow.observe(images, answer)  # there is room again
    assert messages(theirs) == sent[:1]


@pytest.mark.parametrize(("n_images", "side_px", "is_sent"), [(1, 800, False), (1, 600, True), (16, 150, True)])
def test_images_that_are_too_large_are_dropped(
    predictor: Predictor, line: Line, n_images: int, side_px: int, is_sent: bool
) -> None:
    ours, theirs = line
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 220_000)  # doubled by the system
    metrics = Metrics()
    images = np.zeros((n_images, side_px, side_px), np.uint8)
    shadow = Shadow("1", ours, metrics)
    shadow.observe(images, answer_for(predictor, images))
    assert len(messages(theirs)) == is_sent
    assert dropped(metrics, "too_large") == (0 if is_sent else n_images)


def is_gone(process: psutil.Process) -> bool:
    """Return whether a process has ended; it stays a zombie if its parent has ended too."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def predict(client: httpx2.Client, image: np.ndarray) -> httpx2.Response:
    headers = {"content-type": "application/octet-stream"}
    return client.post("/api/predict?width=28&height=28", content=image.tobytes(), headers=headers)


def metrics_of(service: Running) -> str:
    return httpx2.get(f"http://{service.host}/metrics").text


@pytest.mark.workflow
@pytest.mark.parametrize(("content", "n_other"), [(MODEL.read_bytes(), 0), (LENIENT, 1)], ids=["same", "other"])
def test_the_shadow_is_compared_with_the_model_and_ends_with_it(tmp_path: Path, content: bytes, n_other: int) -> None:
    path = tmp_path / "shadow.onnx"
    path.write_bytes(content)
    images = [np.asarray(draw(digit).resize((28, 28))) for digit in STROKES] + [SCRIBBLE]
    with running(tmp_path, "--shadow", str(path)) as service:
        _, shadow = service.processes()
        assert shadow.nice() == LOWEST_PRIORITY
        shadow.send_signal(signal.SIGTERM)  # as to the whole group: it continues until the service has ended
        with httpx2.Client(base_url=f"http://{service.host}") as client:
            for image in images:
                answer = predict(client, image).json()
                assert answer["model_version"] == hashlib.sha256(MODEL.read_bytes()).hexdigest()[:12]
        assert answer["state"] == "not_a_digit"  # even if the shadow model accepts it

        def verdicts() -> dict[str, float]:
            found = samples(metrics_of(service))
            return {name: value(found, "inkling_shadow_images_total", verdict=name) for name in ("same", "other")}

        wait_until(lambda: sum(verdicts().values()) == len(images), service.popen)
        assert verdicts() == {"same": len(images) - n_other, "other": n_other}
        found = samples(metrics_of(service))
        assert value(found, "inkling_shadow_run_seconds_count") == len(images)
        assert sum(value(found, "inkling_shadow_dropped_total", reason=reason) for reason in SHADOW_DROPPED) == 0
        assert value(found, "inkling_shadow_model_info", version=hashlib.sha256(content).hexdigest()[:12]) == 1
        service.popen.kill()
        service.wait()
        deadline = time.monotonic() + END_SECONDS
        while not is_gone(shadow):
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.workflow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_service_logs_the_death_of_the_shadow_and_continues(tmp_path: Path, workers: str) -> None:
    with running(tmp_path, "--shadow", str(MODEL), "--workers", workers) as service:
        shadow = min(service.processes()[1:], key=lambda child: child.create_time())
        assert shadow.nice() == LOWEST_PRIORITY
        assert "inkling_shadow_model_info" in metrics_of(service)
        shadow.kill()
        wait_until(lambda: is_gone(shadow), service.popen)
        address = f"http://{service.host}"
        with httpx2.Client(base_url=address) as client:  # one connection, so one worker
            for _ in range(2):
                assert predict(client, SCRIBBLE).status_code == 200
            text = client.get("/metrics").text
        assert "inkling_shadow_model_info" not in text
        assert value(samples(text), "inkling_shadow_dropped_total", reason="gone") == 2
        assert service.said().count("The shadow model's process has ended") == 1


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_a_bad_file_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "shadow.onnx"
    path.write_bytes(with_damaged_weights())
    result = run_python("-m", "serving", "--port", "0", "--shadow", str(path))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("python -m serving: The shadow model cannot be used. The model")
    assert result.stderr.count("\n") == 1
