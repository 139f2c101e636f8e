"""The real process: its announcement, answers and exit codes."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from serving.settings import ROOT

from .conftest import MODEL
from .drawings import draw

START_S = 30


@pytest.fixture
def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def process(free_port: int, tmp_path: Path, web: Path) -> Iterator[subprocess.Popen[str]]:
    """A service with a limit on bodies, started from another directory; it has said that it listens."""
    command = [sys.executable, "-m", "serving", "--port", str(free_port), "--web", str(web)]
    environ = os.environ | {"PYTHONPATH": str(ROOT), "INKLING_MAX_BODY_BYTES": "200000"}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("Inkling ")
    assert line.endswith(f" is listening on http://127.0.0.1:{free_port}\n")
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_answers_and_exits_with_0(
    process: subprocess.Popen[str], free_port: int, number: signal.Signals
) -> None:
    with httpx2.Client(base_url=f"http://127.0.0.1:{free_port}") as client:
        headers = {"content-type": "application/octet-stream"}
        answer = client.post("/api/predict?width=280&height=280", content=draw(7).tobytes(), headers=headers)
        assert (answer.status_code, answer.json()["digit"]) == (200, 7)
        assert client.get("/v2/health/ready").status_code == 200
        assert client.post("/api/predict", content=bytes(300_000)).status_code == 413
        chunked = client.post("/api/predict", content=(bytes(50_000) for _ in range(6)))
        assert (chunked.status_code, list(chunked.json())) == (413, ["error"])
        assert "server" not in answer.headers
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=15)
    assert (process.returncode, stdout, stderr) == (0, "", "")


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "serving", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | environ, capture_output=True, text=True, timeout=START_S, check=False
    )


def one_line(result: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert (result.returncode, result.stdout) == (code, "")
    assert result.stderr.count("\n") == 1, result.stderr
    assert all(word in result.stderr for word in words), result.stderr


def test_a_port_that_is_taken_is_one_line(web: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        one_line(run("--port", port, "--web", str(web)), 1, "python -m serving: ", port, "in use", "--port")


def test_a_host_that_is_not_ours_is_one_line(web: Path) -> None:
    one_line(run("--port", "0", "--host", "192.0.2.1", "--web", str(web)), 1, "192.0.2.1")


def test_a_missing_model_is_one_line() -> None:
    one_line(run("--model", "nowhere.onnx"), 1, "nowhere.onnx", "No such file")


def test_a_damaged_model_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(MODEL.read_bytes()[:1000])
    one_line(run("--model", str(tmp_path / "bad.onnx")), 1, "bad.onnx")


def test_a_bad_setting_is_one_line() -> None:
    one_line(run(INKLING_PORT="eighty"), 2, "INKLING_PORT", "'eighty'")
