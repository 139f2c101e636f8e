"""Execute the Dockerfile, and run its service as process 1 of another user on a read-only root."""

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil
import pytest

from serving.http.server import GRACE_S
from serving.settings import Settings
from tests.deploy.image import Stage, build, lacking, words_of
from tests.project import ROOT, free_port
from tests.serving.drawings import draw, encode

pytestmark = pytest.mark.slow

START_S = 30


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    if reason := lacking():
        pytest.skip(reason)
    return build(ROOT / "deploy" / "Dockerfile", ROOT, tmp_path_factory.mktemp("stages"))


@dataclass
class Container:
    """A running image: its outer process, its address and its environment."""

    outer: subprocess.Popen[str]
    address: str
    environ: dict[str, str]


@contextlib.contextmanager
def run(image: Stage, *flags: str, has_tmp: bool = True, **environ: str) -> Iterator[Container]:
    port = free_port()
    settings = image.environ | {"INKLING_PORT": str(port)} | environ
    started = [*words_of(image.settings["ENTRYPOINT"]), *flags]
    command = image.command(started, user=image.settings["USER"], is_read_only=True, has_tmp=has_tmp)
    outer = subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield Container(outer, f"http://127.0.0.1:{port}", settings)
    finally:
        # A process of another user outlives its parent. The namespace ends with its process 1.
        for process in psutil.Process(outer.pid).children() if outer.poll() is None else ():
            process.kill()
        outer.communicate(timeout=START_S)


def health(image: Stage, container: Container) -> int:
    """Return the exit code of HEALTHCHECK's command."""
    command = image.command(words_of(image.settings["HEALTHCHECK"]), user=image.settings["USER"], is_read_only=True)
    return subprocess.run(command, env=container.environ, capture_output=True, check=False).returncode


def test_the_image_serves_without_privileges_and_stops_in_time(image: Stage) -> None:
    # Variables that other programs in a container may be given.
    proxies = {"http_proxy": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"}
    flags = ["--workers", "2", "--local-management"]
    with run(image, *flags, **proxies) as container:
        assert container.outer.stdout
        assert " is listening on http://0.0.0.0:" in container.outer.stdout.readline()
        first = psutil.Process(container.outer.pid).children()[0]
        assert first.cmdline()[1:] == ["-m", "serving", *flags]
        assert [process.uids().real for process in (first, *first.children())] == [10001] * 3
        status = Path(f"/proc/{first.pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status
        assert "CapEff:\t0000000000000000" in status
        assert health(image, container) == 0
        with httpx2.Client(base_url=container.address, trust_env=False) as client:
            assert "<title>" in client.get("/").text
            headers = {"content-type": "application/octet-stream"}
            answer = client.post("/api/predict?width=280&height=280", content=draw(7).tobytes(), headers=headers)
            assert (answer.status_code, answer.json()["digit"]) == (200, 7)
            # A form above a megabyte waits in /tmp.
            large = {"image": encode(draw(7), "BMP") + bytes(2**21)}
            assert client.post("/api/predict", files=large).json()["digit"] == 7
            assert client.post("/v2/repository/models/digits/load").status_code == 200
            assert "inkling_" in client.get("/metrics").text
            assert client.get("/v2", headers={"host": "digits.example.org"}).status_code != 200
        first.send_signal(getattr(signal, image.settings["STOPSIGNAL"]))
        _, stderr = container.outer.communicate(timeout=Settings.drain_s + GRACE_S)
        assert container.outer.returncode == 0, stderr
        assert health(image, container) != 0


def test_without_tmp_one_worker_serves_and_several_report_the_missing_folder(image: Stage) -> None:
    with run(image, has_tmp=False) as container:
        assert container.outer.stdout
        assert container.outer.stdout.readline()
        assert health(image, container) == 0
        url = f"{container.address}/api/predict"
        for n_more in (0, 2**21):
            picture = encode(draw(7), "BMP") + bytes(n_more)
            assert httpx2.post(url, files={"image": picture}, trust_env=False).json()["digit"] == 7
    with run(image, "--workers", "2", has_tmp=False) as container:
        stdout, stderr = container.outer.communicate(timeout=START_S)
        assert (container.outer.returncode, stdout) == (1, "")
        assert stderr.count("\n") == 1
        assert "temporary folder" in stderr


def test_the_image_has_only_the_service(image: Stage) -> None:
    app = image.root / "app"
    assert sorted(path.name for path in app.iterdir()) == ["models", "pyproject.toml", "serving", "web"]
    assert [path.name for path in (app / "models").iterdir()] == ["digits.onnx"]
    assert not list((image.root / "opt" / "venv").glob("lib/python*/site-packages/pip"))
    assert list((app / "serving" / "__pycache__").glob("app.*.pyc"))
