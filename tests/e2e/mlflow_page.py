"""The runs of a sweep beside each other, on MLflow's own page, as a picture.

python -m tests.e2e.mlflow_page [SWEEP] [--picture docs/mlflow.png]

SWEEP is the run ID of the sweep's parent; the latest if none is named. The page is that of `make ui`, or of the server
that MLFLOW_TRACKING_URI names.
"""

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import mlflow
from playwright.sync_api import sync_playwright

from pipeline.registry import store as registry
from pipeline.tracking.runs import EXPERIMENT, uri
from tests.e2e.browser import ARGUMENTS, MISSING, find_browser

START_SECONDS = 60
METRIC = "kept_val_accuracy"


@contextlib.contextmanager
def mlflow_ui(store: str) -> Iterator[str]:
    """The address of MLflow's page on a store: a server's own, or of one that is started for a database."""
    if store.startswith("http"):
        yield store
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "ui",
        "--backend-store-uri",
        store,
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            deadline = time.monotonic() + START_SECONDS
            while True:
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                    break
                if server.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"error: `{' '.join(command)}` does not answer")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def photograph(address: str, experiment: str, runs: list[str], picture: Path) -> None:
    """Open the comparison of runs, with the values that differ against the validation accuracy."""
    chosen = f"runs={quote(json.dumps(runs))}&experiments={quote(json.dumps([experiment]))}"
    path = find_browser() or sys.exit(MISSING)
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=path, args=ARGUMENTS) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 760})
        page.goto(f"{address}/#/compare-runs?{chosen}")
        page.get_by_role("heading", name=f"Comparing {len(runs)} Runs").wait_for()
        page.get_by_role("button", name="Close").click()  # of the assistant
        page.get_by_role("button", name="Toggle sidebar").click()
        metrics = page.get_by_role("combobox").nth(1)
        metrics.press("Backspace")  # takes away the one that MLflow has chosen
        metrics.click()
        option = page.get_by_title(METRIC, exact=True)
        for _ in range(100):  # the list is longer than what is drawn of it
            if option.count():
                break
            metrics.press("ArrowDown")
        option.first.click()
        metrics.press("Escape")
        page.locator(".parcoords, .js-plotly-plot").first.wait_for()
        page.wait_for_timeout(1000)  # the plot is drawn with a delay
        page.screenshot(path=picture, animations="disabled")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", nargs="?", help="run ID of the sweep's parent")
    parser.add_argument("--picture", type=Path, default=Path("docs/mlflow.png"))
    arguments = parser.parse_args()
    trials = registry.load_sweep(arguments.sweep or registry.latest_sweep())
    experiment = mlflow.MlflowClient(uri()).get_experiment_by_name(EXPERIMENT).experiment_id
    with mlflow_ui(uri()) as address:
        photograph(address, experiment, [trial.run_id for trial in trials], arguments.picture)
    print(arguments.picture)


if __name__ == "__main__":
    main()
