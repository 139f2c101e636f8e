"""The real process: its announcement, answers and exit codes."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from serving.settings import ROOT

from .conftest import MODEL
from .drawings import draw
from .under_load.process import running


def test_the_process_answers_and_exits_with_0(tmp_path: Path, web: Path) -> None:
    with (
        running(tmp_path, "--web", str(web), INKLING_MAX_BODY_BYTES="200000") as service,
        httpx2.Client(base_url=f"http://{service.host}") as client,
    ):
        assert re.fullmatch(r"Inkling \S+ is listening on http://127\.0\.0\.1:\d+\n", service.log.read_text())
        headers = {"content-type": "application/octet-stream"}
        answer = client.post("/api/predict?width=280&height=280", content=draw(7).tobytes(), headers=headers)
        assert (answer.status_code, answer.json()["digit"]) == (200, 7)
        assert "server" not in answer.headers
        chunked = client.post("/api/predict", content=(bytes(50_000) for _ in range(6)))
        assert (chunked.status_code, list(chunked.json())) == (413, ["error"])
        service.popen.terminate()
        assert (service.wait(), service.said()) == (0, "")


def check_failure(code: int, words: list[str], *arguments: str, **environ: str) -> None:
    command = [sys.executable, "-m", "serving", *arguments]
    result = subprocess.run(
        command, cwd=ROOT, env=os.environ | environ, capture_output=True, text=True, timeout=30, check=False
    )
    assert (result.returncode, result.stdout) == (code, "")
    assert result.stderr.count("\n") == 1, result.stderr
    assert all(word in result.stderr for word in words), result.stderr


def test_a_missing_package_is_named() -> None:
    command = [sys.executable, "-S", "-m", "serving"]  # without the packages of the environment
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(r"The package \w+ is missing\. .* pip install \.\n", result.stderr)


@pytest.mark.workflow
def test_a_start_that_fails_is_one_line(tmp_path: Path, web: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        words = ["python -m serving: ", port, "in use", "--port"]
        check_failure(1, words, "--port", port, "--web", str(web))
    check_failure(1, ["192.0.2.1"], "--port", "0", "--host", "192.0.2.1", "--web", str(web))
    check_failure(1, ["nowhere.onnx", "No such file"], "--model", "nowhere.onnx")
    (tmp_path / "bad.onnx").write_bytes(MODEL.read_bytes()[:1000])
    check_failure(1, ["bad.onnx"], "--model", str(tmp_path / "bad.onnx"))
    check_failure(2, ["INKLING_PORT", "'eighty'"], INKLING_PORT="eighty")
