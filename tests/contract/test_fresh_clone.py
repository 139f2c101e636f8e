"""What a user does, in a fresh clone: the commands of the README, from start to stop.

The clone has what is committed, and borrows this environment, which was itself installed by the same Makefile.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest
import yaml

from pipeline.config.values import dump, load_config
from pipeline.sources.mirrors import fetch
from pipeline.sources.mnist import MNIST_SHA256, read_idx
from serving.model.predictor import Predictor
from tests.contract.imports import ROOT
from tests.web.node import package

MIRROR = os.environ.get("INKLING_MIRROR", "")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
needs_mirror = pytest.mark.skipif(not MIRROR, reason="INKLING_MIRROR names no mirror of MNIST")

# The borrowed environment is taken as it is: the clone's files are newer, and make would install it anew.
MAKE = ["make", "-o", ".venv/.installed"]
OFFLINE = {
    name: value
    for name, value in os.environ.items()
    if name not in ("INKLING_MIRROR", "MLFLOW_TRACKING_URI", "MAKEFLAGS", "MAKELEVEL", "VIRTUAL_ENV")
} | {"https_proxy": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1", "no_proxy": "127.0.0.1,localhost"}
ONLINE = {name: value for name, value in OFFLINE.items() if not name.endswith("_proxy")} | {"INKLING_MIRROR": MIRROR}


def run(directory, *command, env=OFFLINE, ok=True):
    done = subprocess.run(command, cwd=directory, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == ok, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.fixture
def clone(tmp_path):
    run(tmp_path, "git", "clone", "-q", str(ROOT), "inkling")
    directory = tmp_path / "inkling"
    (directory / ".venv").symlink_to(sys.prefix)
    for name, value in (("user.name", "a user"), ("user.email", "user@example.org")):
        run(directory, "git", "config", name, value)
    return directory


def is_untouched(clone):
    return run(clone, "git", "status", "--porcelain", "--", ".", ":!.venv") == ""


@contextlib.contextmanager
def served(directory, target, seconds, path="/", settings=()):
    """`make <target>` until it answers; ended as by Ctrl+C."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = directory.parent / f"{target}.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [*MAKE, target, *settings, f"PORT={port}"],
            cwd=directory, env=OFFLINE, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + seconds
        while True:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).close()
                break
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}", log
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGINT)
        server.wait(30)


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def test_make_run_serves_the_committed_model_without_data_or_network(clone):
    with served(clone, "run", seconds=60) as (address, log):
        assert "<title>" in get(address)
        card = json.loads(get(f"{address}/api/model"))
        assert address in log.read_text()
    assert card["data"]["source"] == "mnist"
    assert card["metrics"] == json.loads((clone / "metrics/test.json").read_text())
    assert not (clone / "data").exists()
    assert is_untouched(clone)


def test_an_unpacked_archive_serves_without_git(clone):
    shutil.rmtree(clone / ".git")
    with served(clone, "run", seconds=60) as (address, _):
        assert "<title>" in get(address)


def test_a_deleted_model_is_not_up_to_date(clone):
    (clone / "models/digits.onnx").unlink()
    assert "no source has mnist/" in run(clone, *MAKE, "run", ok=False)


def test_make_serve_serves(clone):
    with served(clone, "serve", seconds=60) as (address, _):
        assert "<title>" in get(address)


def test_make_ui_shows_mlflow(clone):
    with served(clone, "ui", seconds=120) as (address, _):
        assert "MLflow" in get(address)


def test_make_train_without_data_says_how_to_get_it(clone):
    assert "run `dvc repro prepare`" in run(clone, *MAKE, "train", ok=False)
    assert is_untouched(clone)


def test_make_demo_trains_and_serves_on_embedded_data_and_touches_nothing(clone):
    with served(clone, "demo", seconds=900) as (address, log):
        card = json.loads(get(f"{address}/api/model"))
        print(log.read_text())
    assert card["data"]["source"] == "embedded"
    assert "embedded" in card["data"]["title"]
    parts = card["data"]["parts"]
    assert parts["train"]["mnist"] + parts["validation"]["mnist"] + card["data"]["test"] == 5000
    assert parts["train"]["pendigits"] == card["data"]["test_drawings"] == 0
    assert card["metrics"]["test_accuracy"] > 0.95
    assert is_untouched(clone)


def test_after_a_change_make_run_says_where_data_could_come_from(clone):
    params = yaml.safe_load((clone / "params.yaml").read_text())
    params["train"]["learning_rate"] = 0.001
    (clone / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    said = run(clone, *MAKE, "run", ok=False)
    for part in ("ossci-datasets", "cvdf-datasets", "INKLING_MIRROR", "make demo", "data.source=embedded"):
        assert part in said
    assert "Traceback" not in said
    assert (clone / "models/digits.onnx").read_bytes() == (ROOT / "models/digits.onnx").read_bytes()


def test_everything_small_and_back_to_what_is_committed(clone):
    path = OFFLINE | {"PATH": f"{clone / '.venv/bin'}:{os.environ['PATH']}"}
    run(clone, "dvc", "exp", "run", "-S", "size=smoke", "-S", "data.source=embedded", env=path)
    params = yaml.safe_load((clone / "params.yaml").read_text())
    assert (params["train"]["epochs"], params["data"]["source"], params["data"]["limit"]) == (12, "embedded", 400)
    small = json.loads((clone / "metrics/test.json").read_text())["test_accuracy"]
    assert small > 0.5  # few images, but it is no guess
    assert f"{small:.4f}".rstrip("0") in run(clone, "dvc", "metrics", "diff", env=path)
    # A sweep on that data, and another value, made twice.
    run(clone, "python", "-m", "pipeline.train", "-m", "train.learning_rate=0.001,0.003", env=path)
    assert len(list((clone / "outputs").glob("multirun/*/*/metrics/train.json"))) == 2
    run(clone, "dvc", "exp", "run", "-S", "train.epochs=3", env=path)
    assert json.loads((clone / "metrics/test.json").read_text())["test_accuracy"] < small
    lock = (clone / "dvc.lock").read_bytes()
    run(clone, *MAKE, "repro")
    assert (clone / "dvc.lock").read_bytes() == lock
    # Weights and data of the experiment, which git does not see, are no reason to train.
    run(clone, "git", "checkout", ".")
    assert (clone / "models/network.weights.h5").exists()
    with served(clone, "run", seconds=60) as (address, log):
        card = json.loads(get(f"{address}/api/model"))
        assert "is up to date" in log.read_text()
    assert card["metrics"] == json.loads((clone / "metrics/test.json").read_text())
    assert is_untouched(clone)


def test_the_bench_runs():
    assert "280" in run(ROOT, sys.executable, "-m", "bench.predictor", "--runs", "5")


@needs_mirror
def test_the_committed_file_reads_mnist_s_test_images(tmp_path):
    def raw(name):
        fetch(f"mnist/{name}", MNIST_SHA256[name], tmp_path / name)
        return read_idx(tmp_path / name)

    images, labels = raw("t10k-images-idx3-ubyte.gz"), raw("t10k-labels-idx1-ubyte.gz")
    answers = Predictor.load(ROOT / "models" / "digits.onnx").run(images)
    accuracy = (answers.probabilities.argmax(axis=1) == labels).mean()
    assert accuracy == json.loads((ROOT / "metrics/test.json").read_text())["test_accuracy"]
    assert accuracy >= 0.993
    difference = np.abs(answers.normalized.astype(int) - images).max(axis=(1, 2))
    assert (difference <= 1).mean() >= 0.999


@needs_mirror
def test_make_repro_rebuilds_everything_from_the_raw_data(clone):
    params = dump(load_config(["data.limit=3000", "strokes.skeletons=500", "strokes.nondigits=500", "strokes.renders=1",
                               "train.epochs=6", "train.warmup_epochs=1", "evaluate.nondigits=20"]))  # fmt: skip
    (clone / "params.yaml").write_text(params)
    print(run(clone, *MAKE, "repro", env=ONLINE)[-6000:])
    assert json.loads((clone / "metrics/test.json").read_text())["test_accuracy"] >= 0.9
    path = f"{clone / '.venv/bin'}:{os.environ['PATH']}"
    assert "up to date" in run(clone, "dvc", "status", env=OFFLINE | {"PATH": path})
    assert "Running stage" not in run(clone, "dvc", "repro", env=OFFLINE | {"PATH": path})


@needs_mirror
def test_two_clones_make_every_output_alike():
    command = [sys.executable, "-m", "bench.clones", "size=smoke", "model.width=0.25"]
    assert "the clones agree in all" in run(ROOT, *command, env=ONLINE)


def test_make_web_builds_the_css_that_is_committed(clone):
    package("@tailwindcss/cli/package.json")
    (clone / "node_modules").symlink_to(ROOT / "node_modules")
    (clone / "web/css/page.css").unlink()
    run(clone, *MAKE, "-o", "node_modules/.installed", "web")
    assert is_untouched(clone)
