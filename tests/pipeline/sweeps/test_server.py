"""A tracking server that is down from the start, or that dies during a sweep: no event is lost."""

import signal
import subprocess
import sys

import pytest

from tests.pipeline.sweeps.conftest import statuses
from tests.project import ENVIRONMENT, answers, end, free_port, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path):
    """The address of a tracking server, and a function that starts it and returns its process."""
    port, started = free_port(), []
    address, store = f"http://127.0.0.1:{port}", tmp_path / "server"
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{store}.db",
               "--artifacts-destination", str(store), "--port", str(port), "--workers", "1"]  # fmt: skip

    def start():
        environment = ENVIRONMENT | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        started.append(subprocess.Popen(command, env=environment, start_new_session=True))
        wait_until(lambda: answers(f"{address}/health"), started[-1])
        return started[-1]

    yield address, start
    for process in started:
        end(process, signal.SIGKILL)


@pytest.mark.parametrize("dies", [False, True])
def test_a_server_gets_what_it_missed_from_a_replay(project, server, dies):
    address, start = server
    process = start() if dies else None
    sweep = project.start_slow("-m", "train.epochs=2", "train.learning_rate=0.25,0.5", MLFLOW_TRACKING_URI=address)
    if process:
        end(process, signal.SIGKILL)
    (project.directory / "go").touch()
    output, _ = sweep.communicate()
    assert sweep.returncode == 0, output
    assert f"{address} failed" in output
    start()
    project.run("pipeline.replay")
    assert "missed nothing" in project.run("pipeline.replay")
    (sweep,), trials = project.runs(address)
    assert statuses([sweep, *trials]) == ["FINISHED"] * 3
    assert (sweep.data.metrics["n_finished"], sweep.data.metrics["best_val_accuracy"]) == (2, 0.875)
    assert {run.data.tags["mlflow.parentRunId"] for run in trials} == {sweep.info.run_id}
    for run in trials:
        history = project.client(address).get_metric_history(run.info.run_id, "val_accuracy")
        assert [value.step for value in history] == [1, 2]
        files = project.client(address).list_artifacts(run.info.run_id, "network")
        assert [file.path for file in files] == ["network/calibration.json", "network/network.weights.h5"]
