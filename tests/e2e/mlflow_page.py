"""Take a picture of MLflow's comparison of the runs of a sweep.

python -m tests.e2e.mlflow_page [SWEEP] [--picture docs/mlflow.png]

SWEEP is the run ID of the sweep's parent; default: the latest. The page is that of `make ui`, or of the server in
MLFLOW_TRACKING_URI.
"""

import argparse
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import mlflow
from playwright.sync_api import sync_playwright

from pipeline.registry import store
from pipeline.tracking.runs import EXPERIMENT, uri
from tests.e2e.browser import ARGUMENTS, MISSING, find_browser
from tests.project import answers, free_port, started

METRIC = "kept_val_accuracy"


@contextlib.contextmanager
def mlflow_ui(address: str) -> Iterator[str]:
    """Yield the address of MLflow's page: the server itself, or a new one for a database."""
    if address.startswith("http"):
        yield address
        return
    port = free_port()
    options = ["--backend-store-uri", address, "--port", str(port), "--workers", "1"]
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    url = f"http://127.0.0.1:{port}"
    with (
        tempfile.TemporaryDirectory() as logs,
        started(
            [sys.executable, "-m", "mlflow", "ui", *options],
            lambda: answers(f"{url}/health"),
            Path(logs, "log.txt"),
            env=environment,
        ),
    ):
        yield url


def photograph(address: str, experiment: str, runs: list[str], picture: Path) -> None:
    """Open the comparison of the runs, with their different values against the validation accuracy."""
    chosen = f"runs={quote(json.dumps(runs))}&experiments={quote(json.dumps([experiment]))}"
    path = find_browser() or sys.exit(MISSING)
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=path, args=ARGUMENTS) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 760})
        page.goto(f"{address}/#/compare-runs?{chosen}")
        page.get_by_role("heading", name=f"Comparing {len(runs)} Runs").wait_for()
        page.get_by_role("button", name="Close").click()  # of the assistant
        page.get_by_role("button", name="Toggle sidebar").click()
        metrics = page.get_by_role("combobox").nth(1)
        metrics.press("Backspace")  # removes MLflow's own choice
        metrics.click()
        option = page.get_by_title(METRIC, exact=True)
        for _ in range(100):  # only a part of the list is rendered
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
    trials = store.load_sweep(arguments.sweep)
    experiment = mlflow.MlflowClient(uri()).get_experiment_by_name(EXPERIMENT).experiment_id
    with mlflow_ui(uri()) as address:
        photograph(address, experiment, [trial.run_id for trial in trials], arguments.picture)
    print(arguments.picture)


if __name__ == "__main__":
    main()
