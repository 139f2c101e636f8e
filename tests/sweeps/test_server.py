"""A tracking server that is down from the start, and one that dies half-way: nothing is lost."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import mlflow
import pytest

from tests.sweeps.conftest import of

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path):
    """Its address, and a function that starts it, as often as wanted, and returns its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, started = f"http://127.0.0.1:{port}", []

    def start():
        store = tmp_path / "server"
        command = ["--backend-store-uri", f"sqlite:///{store}.db", "--artifacts-destination", str(store)]
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *command, "--port", str(port), "--workers", "1"],
            env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}, start_new_session=True,
        )  # fmt: skip
        started.append(process)
        while True:
            assert process.poll() is None
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/health", timeout=5).close()
                return process
            time.sleep(0.2)

    yield address, start
    for process in started:
        kill(process)


def kill(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_server_that_is_down_from_the_start_is_told_later(project, server):
    address, start = server
    said = project.sweep("train.learning_rate=0.25,0.5", MLFLOW_TRACKING_URI=address)
    assert f"{address} does not answer" in said
    assert len(project.journals()) == 3
    start()
    assert "told of 3 runs" in project.run(module="pipeline.replay")
    assert "missed nothing" in project.run(module="pipeline.replay")
    (sweep,), trials = project.runs(address)
    assert sweep.data.metrics["best_val_accuracy"] == 0.875
    assert of([sweep, *trials], "status") == ["FINISHED"] * 3
    assert {run.data.tags["mlflow.parentRunId"] for run in trials} == {sweep.info.run_id}
    files = mlflow.MlflowClient(address).list_artifacts(trials[0].info.run_id, "network")
    assert [file.path for file in files] == ["network/calibration.json", "network/network.weights.h5"]


def test_a_server_that_dies_half_way_is_told_the_rest(project, server):
    address, start = server
    process = start()
    sweep = project.start_slow("-m", "train.epochs=2", "train.learning_rate=0.25,0.5", MLFLOW_TRACKING_URI=address)
    kill(process)
    (project.directory / "go").touch()
    said, _ = sweep.communicate()
    assert sweep.returncode == 0, said
    start()
    project.run(module="pipeline.replay")
    (sweep,), trials = project.runs(address)
    assert of([sweep, *trials], "status") == ["FINISHED"] * 3
    assert sweep.data.metrics["n_finished"] == 2
    for run in trials:
        history = mlflow.MlflowClient(address).get_metric_history(run.info.run_id, "val_accuracy")
        assert [value.step for value in history] == [1, 2]
