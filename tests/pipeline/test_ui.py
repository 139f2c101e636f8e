import os
import re
import socket
import subprocess
import sys

import pytest

from pipeline import ui
from pipeline.base.errors import RegistryError
from pipeline.tracking.store import EXPERIMENT, opened, uri


def test_the_link_opens_the_runs_of_the_experiment(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    with opened(uri()) as client:
        experiment = client.create_experiment(EXPERIMENT)
    link = f"http://127.0.0.1:1/#/experiments/{experiment}/runs?workflowType=machine_learning"
    assert ui.page_of_runs("http://127.0.0.1:1") == link


@pytest.mark.parametrize("port", [0, 65536])
def test_an_impossible_port_is_named(port):
    with pytest.raises(RegistryError, match=f"the port is {port}; it must be from 1 to 65535"):
        ui._require_free(port)


def test_a_taken_port_names_the_option():
    with socket.create_server((ui.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(RegistryError, match=re.escape(f"`make ui PORT={port + 1}`")):
            ui._require_free(port)


@pytest.mark.slow
def test_mlflow_prints_no_warning_about_its_own_code():
    environment = os.environ | {"PYTHONWARNINGS": ui.WARNINGS}
    command = [sys.executable, "-c", "import mlflow.server.fastapi_app"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "Warning" not in done.stderr
