"""The shadow model reads the model's images, changes only metrics, and delays no request."""

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

from serving.metrics import SHADOW_DROPPED, Metrics
from serving.model.predictor import Predictor
from serving.queue.engine import Answer, Images
from serving.reload.shadow import BUFFER_BYTES, LOWEST_PRIORITY, MAX_MESSAGE_BYTES, Shadow
from serving.settings import ROOT
from tests.serving.conftest import MODEL
from tests.serving.drawings import STROKES, draw
from tests.serving.models import golden, with_damaged_weights, with_metadata
from tests.serving.test_metrics import samples, value

# To this one, all ink is a digit.
BLANK = golden(Predictor.load(MODEL), np.zeros((1, 28, 28), np.uint8))
LENIENT = with_metadata(thresholds='{"digit_score": 1e-30, "confidence": 1e-30}', golden=BLANK)
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


def dropped(metrics: Metrics, *reasons: str) -> float:
    """How many images were not compared, all of them for one of these reasons."""
    cells = metrics.read(metrics.shadow_dropped)
    found = sum(metrics.shadow_dropped.value(cells, reason) for reason in reasons)
    assert found == sum(cells)
    return found


def messages(line: socket.socket) -> list[bytes]:
    """What has been sent."""
    line.setblocking(False)
    found = []
    try:
        while True:
            found.append(line.recv(2 * MAX_MESSAGE_BYTES))
    except BlockingIOError:
        return found


def test_a_busy_shadow_never_blocks(predictor: Predictor, line: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = line
    metrics = Metrics()
    shadow = Shadow("1", 1.0, ours, metrics)
    images = np.stack([np.asarray(draw(7))] * 2)
    answer = answer_for(predictor, images)
    for _ in range(50):  # more than the line takes: a call that blocked would hang here
        shadow.observe(images, answer)
    sent = messages(theirs)
    assert 0 < len(sent) < 50
    assert dropped(metrics, "busy") == 2 * (50 - len(sent))
    shadow.observe(images, answer)  # there is room again
    assert messages(theirs) == sent[:1]


def test_a_dead_shadow_is_not_an_error(predictor: Predictor, line: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = line
    theirs.close()
    metrics = Metrics()
    images = SCRIBBLE[None]
    shadow = Shadow("1", 1.0, ours, metrics)
    shadow.observe(images, answer_for(predictor, images))
    assert not shadow.is_alive
    assert dropped(metrics, "gone") == 1


@pytest.mark.parametrize(("n_images", "side_px", "n_messages"), [(1, 640, 0), (3, 1000, 0), (1, 600, 1), (16, 150, 1)])
def test_a_batch_is_split_and_images_that_are_too_large_are_dropped(
    predictor: Predictor, line: tuple[socket.socket, socket.socket], n_images: int, side_px: int, n_messages: int
) -> None:
    ours, theirs = line
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    metrics = Metrics()
    images = np.zeros((n_images, side_px, side_px), np.uint8)
    shadow = Shadow("1", 1.0, ours, metrics)
    shadow.observe(images, answer_for(predictor, images))
    sent = messages(theirs)
    assert all(len(message) <= MAX_MESSAGE_BYTES for message in sent)
    assert len(sent) == n_messages
    assert dropped(metrics, "too_large") == (0 if n_messages else n_images)
    assert shadow.is_alive


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (0.5, 200, 300), (1.0, 500, 500)])
def test_the_share_of_the_shadow(
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
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = process.stdout.readline().strip().rpartition(" ")[2]
        try:
            with httpx2.Client(base_url=address) as client:
                yield process, client
        finally:
            process.kill()


@pytest.mark.parametrize(("content", "n_other"), [(MODEL.read_bytes(), 0), (LENIENT, 1)], ids=["same", "other"])
def test_the_shadow_is_compared_with_the_model_and_ends_with_it(
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
        assert sum(value(found, "inkling_shadow_dropped_total", reason=reason) for reason in SHADOW_DROPPED) == 0
        version = hashlib.sha256(content).hexdigest()[:12]
        assert value(found, "inkling_shadow_model_info", version=version) == 1
        process.kill()
        process.wait()
        until_s = time.monotonic() + WAIT_S
        while not has_ended(shadow) and time.monotonic() < until_s:
            time.sleep(0.01)
        assert has_ended(shadow)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_service_logs_the_death_of_the_shadow_and_continues(tmp_path: Path, web: Path, workers: str) -> None:
    with running(web, MODEL, "--workers", workers) as (process, client):
        parent = psutil.Process(process.pid)
        shadow = min(parent.children(), key=lambda child: child.create_time())
        assert shadow.nice() == LOWEST_PRIORITY
        assert "inkling_shadow_model_info" in client.get("/metrics").text
        shadow.kill()
        until_s = time.monotonic() + WAIT_S
        while shadow in parent.children() and time.monotonic() < until_s:  # as long as nobody waits for it: a zombie
            time.sleep(0.01)
        assert shadow not in parent.children()
        headers = {"content-type": "application/octet-stream"}
        address = "/api/predict?width=28&height=28"
        assert client.post(address, content=SCRIBBLE.tobytes(), headers=headers).status_code == 200
        text = client.get("/metrics").text
        assert "inkling_shadow_model_info" not in text
        assert value(samples(text), "inkling_shadow_dropped_total", reason="gone") == 1
        process.terminate()
        assert process.stderr
        assert process.stderr.read().count("The shadow model's process has ended (-9)") == 1


FAILING = """
import os, socket, sys
from pathlib import Path
from serving import logs
from serving.metrics import Metrics
from serving.reload.shadow import start

logs.set_up()
with socket.create_server(("127.0.0.1", 0)) as listener:
    shadow = start(Path(sys.argv[1]), 1.0, Metrics(2), 1, listener)
    own = os.readlink(f"/proc/self/fd/{listener.fileno()}")
    print(own in [os.readlink(file) for file in Path(f"/proc/{shadow.pid}/fd").iterdir()])
    shadow.line.send(b"not a message")
    _, status = os.waitpid(shadow.pid, 0)
    print(os.waitstatus_to_exitcode(status))
"""


def test_a_failure_is_logged_and_the_exit_code_is_1() -> None:
    command = [sys.executable, "-c", FAILING, str(MODEL)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S, check=True)
    assert result.stdout.split() == ["False", "1"]  # it has not got the listener, and ended with 1
    assert "The shadow model failed." in result.stderr
    assert "struct.error" in result.stderr or "ValueError" in result.stderr


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
