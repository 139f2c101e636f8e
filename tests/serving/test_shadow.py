"""The shadow model sees what the model saw, its word is in the metrics alone, and it delays nobody."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np
import psutil
import pytest

from serving.engine import Answer, Images
from serving.metrics import Metrics
from serving.predictor import Predictor
from serving.settings import ROOT
from serving.shadow import LOWEST_PRIORITY, MAX_MESSAGE_BYTES, Shadow

from .conftest import MODEL
from .drawings import STROKES, draw
from .models import with_damaged_weights, with_metadata
from .test_metrics import samples, value

# To this one, all ink is a digit.
LENIENT = with_metadata(thresholds='{"digit_score": 1e-30, "confidence": 1e-30}')
SCRIBBLE = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
WAIT_S = 60


def answer_for(predictor: Predictor, images: Images) -> Answer:
    prediction = predictor.run(images)
    return Answer(prediction, predictor.verdicts(prediction), predictor.card, 0, 0, len(images))


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The workers' end and the other one, which nobody reads."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def dropped(metrics: Metrics) -> float:
    return metrics.read(metrics.shadow_dropped)[0]


def messages(line: socket.socket) -> list[bytes]:
    """What has been sent."""
    line.setblocking(False)
    found = []
    try:
        while True:
            found.append(line.recv(2 * MAX_MESSAGE_BYTES))
    except BlockingIOError:
        return found


def test_a_busy_shadow_is_never_waited_for(predictor: Predictor, line: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = line
    metrics = Metrics()
    shadow = Shadow("1", 1.0, ours, metrics)
    images = np.stack([np.asarray(draw(7))] * 2)
    answer = answer_for(predictor, images)
    for _ in range(50):  # more than the line takes: a call that blocked would hang here
        shadow.observe(images, answer)
    sent = messages(theirs)
    assert 0 < len(sent) < 50
    assert dropped(metrics) == 2 * (50 - len(sent))
    shadow.observe(images, answer)  # there is room again
    assert messages(theirs) == sent[:1]


def test_a_shadow_that_has_died_is_no_failure(predictor: Predictor, line: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = line
    theirs.close()
    metrics = Metrics()
    images = SCRIBBLE[None]
    Shadow("1", 1.0, ours, metrics).observe(images, answer_for(predictor, images))
    assert dropped(metrics) == 1


@pytest.mark.parametrize(("n_images", "side_px", "n_sent"), [(1, 500, 0), (10, 150, 7), (1, 400, 1)])
def test_what_does_not_fit_is_dropped(
    predictor: Predictor, line: tuple[socket.socket, socket.socket], n_images: int, side_px: int, n_sent: int
) -> None:
    ours, theirs = line
    metrics = Metrics()
    images = np.zeros((n_images, side_px, side_px), np.uint8)
    Shadow("1", 1.0, ours, metrics).observe(images, answer_for(predictor, images))
    sent = messages(theirs)
    assert all(len(message) <= MAX_MESSAGE_BYTES for message in sent)
    assert len(sent) == (n_sent > 0)
    assert dropped(metrics) == n_images - n_sent


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (0.5, 200, 300), (1.0, 500, 500)])
def test_its_share(
    predictor: Predictor, line: tuple[socket.socket, socket.socket], share: float, least: int, most: int
) -> None:
    ours, theirs = line
    metrics = Metrics()
    shadow = Shadow("1", share, ours, metrics)
    images = SCRIBBLE[None]
    answer = answer_for(predictor, images)
    n_sent = 0
    for _ in range(500):
        shadow.observe(images, answer)
        n_sent += len(messages(theirs))
    assert least <= n_sent <= most
    assert dropped(metrics) == 0


def has_ended(process: psutil.Process) -> bool:
    """Also if nobody has asked for its exit code: its parent is gone."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@contextmanager
def running(web: Path, shadow: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], httpx2.Client]]:
    """The service with a shadow model, and a client of it."""
    command = [sys.executable, "-m", "serving", "--port", "0", "--web", str(web), "--shadow", str(shadow), *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        address = process.stdout.readline().strip().rpartition(" ")[2]
        try:
            with httpx2.Client(base_url=address) as client:
                yield process, client
        finally:
            process.kill()


@pytest.mark.parametrize(("content", "n_other"), [(MODEL.read_bytes(), 0), (LENIENT, 1)], ids=["same", "other"])
def test_it_is_compared_with_the_model_and_ends_with_it(
    tmp_path: Path, web: Path, content: bytes, n_other: int
) -> None:
    path = tmp_path / "shadow.onnx"
    path.write_bytes(content)
    images = [np.asarray(draw(digit).resize((28, 28))) for digit in STROKES] + [SCRIBBLE]
    with running(web, path) as (process, client):
        (shadow,) = psutil.Process(process.pid).children()
        assert shadow.nice() == LOWEST_PRIORITY
        shadow.send_signal(signal.SIGTERM)  # as to the whole group: it goes on until the service has ended
        for image in images:
            headers = {"content-type": "application/octet-stream"}
            answer = client.post("/api/predict?width=28&height=28", content=image.tobytes(), headers=headers).json()
            assert answer["model_version"] == hashlib.sha256(MODEL.read_bytes()).hexdigest()[:12]
        assert answer["state"] == "not_a_digit"  # whatever the shadow model says
        until_s = time.monotonic() + WAIT_S
        n_seen = 0.0
        while n_seen < len(images) and time.monotonic() < until_s:
            found = samples(client.get("/metrics").text)
            verdicts = {name: value(found, "inkling_shadow_images_total", verdict=name) for name in ("same", "other")}
            n_seen = sum(verdicts.values())
            time.sleep(0.01)
        assert verdicts == {"same": len(images) - n_other, "other": n_other}
        assert value(found, "inkling_shadow_run_seconds_count") == len(images)
        assert value(found, "inkling_shadow_dropped_total") == 0
        version = hashlib.sha256(content).hexdigest()[:12]
        assert value(found, "inkling_shadow_model_info", version=version) == 1
        process.kill()
        process.wait()
        until_s = time.monotonic() + WAIT_S
        while not has_ended(shadow) and time.monotonic() < until_s:
            time.sleep(0.01)
        assert has_ended(shadow)


def test_the_service_goes_on_when_it_dies(tmp_path: Path, web: Path) -> None:
    with running(web, MODEL) as (process, client):
        (shadow,) = psutil.Process(process.pid).children()
        shadow.kill()
        headers = {"content-type": "application/octet-stream"}
        until_s = time.monotonic() + WAIT_S
        n_dropped = 0.0
        while not n_dropped and time.monotonic() < until_s:
            address = "/api/predict?width=28&height=28"
            assert client.post(address, content=SCRIBBLE.tobytes(), headers=headers).status_code == 200
            n_dropped = value(samples(client.get("/metrics").text), "inkling_shadow_dropped_total")
        assert n_dropped


@pytest.mark.parametrize("content", [b"", with_damaged_weights()], ids=["empty", "damaged"])
def test_a_bad_file_stops_the_start(tmp_path: Path, web: Path, content: bytes) -> None:
    path = tmp_path / "shadow.onnx"
    path.write_bytes(content)
    command = [sys.executable, "-m", "serving", "--port", "0", "--web", str(web), "--shadow", str(path)]
    result = subprocess.run(
        command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=WAIT_S, check=False
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("python -m serving: The shadow model cannot be used. The model")
    assert result.stderr.count("\n") == 1
