"""Serve MLflow's page with the runs, after sending MLflow what it has missed.

python -m pipeline.ui [--port 5000]
"""

import argparse
import logging
import os
import socket
import sys

from pipeline.base.errors import InklingError, RegistryError
from pipeline.base.paths import OUTPUTS, PROJECT
from pipeline.tracking.runs import replay
from pipeline.tracking.store import OWN_STORE, find_experiment, opened, uri

HOST = "127.0.0.1"
# A warning of each of MLflow's four server processes, about MLflow's own code.
WARNINGS = "ignore:starlette.middleware.wsgi is deprecated"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=5000)
    port = parser.parse_args().port
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    replay(OUTPUTS)
    try:
        if uri().startswith("http"):
            print(f"The runs are on a server: {page_of_runs(uri())}")
            return
        _require_free(port)
        print(f"The runs: {page_of_runs(f'http://{HOST}:{port}')}", flush=True)
    except InklingError as error:
        sys.exit(f"error: {error}")
    os.chdir(PROJECT)  # the addresses in the own store are relative to it
    store = ["--backend-store-uri", os.environ.get("MLFLOW_TRACKING_URI") or OWN_STORE]
    os.environ.setdefault("PYTHONWARNINGS", WARNINGS)
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"  # its jobs take seven more processes
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "ui", *store, "--host", HOST, "--port", str(port)])  # noqa: S606


def page_of_runs(server: str) -> str:
    """Return the address of the table of runs; MLflow's own link opens the experiment's traces."""
    with opened(uri()) as client:
        return f"{server}/#/experiments/{find_experiment(client) or 0}/runs?workflowType=machine_learning"


def _require_free(port: int) -> None:
    if not 1 <= port <= 65535:
        raise RegistryError(f"the port is {port}; it must be from 1 to 65535")
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        do = f"stop the program that uses it, or choose another port: `make ui PORT={port + 1}`"
        raise RegistryError(f"port {port} of {HOST} can't be used ({os.strerror(error.errno or 0)}): {do}") from error


if __name__ == "__main__":
    main()
