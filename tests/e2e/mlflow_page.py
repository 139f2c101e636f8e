"""Take a picture of MLflow's comparison of the runs of a sweep.

python -m tests.e2e.mlflow_page [--picture docs/mlflow.png]

The sweep is the latest one, and the page is that of `make ui`.
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

from bench.browser import launched
from pipeline.registry import store
from pipeline.tracking.store import EXPERIMENT, uri
from tests.project import answers, free_port, started

METRIC = "kept_val_accuracy"


@contextlib.contextmanager
def mlflow_ui(database: str) -> Iterator[str]:
    """Run MLflow's page, and yield its address."""
    port, log = free_port(), Path(tempfile.mkstemp(".txt")[1])
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", database, "--port", str(port)]
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    url = f"http://127.0.0.1:{port}"
    with started([*command, "--workers", "1"], lambda: answers(f"{url}/health"), log, env=environment):
        yield url
    log.unlink()


def photograph(address: str, experiment: str, runs: list[str], picture: Path) -> None:
    """Open the comparison of the runs, with their different values against the validation accuracy."""
    chosen = f"runs={quote(json.dumps(runs))}&experiments={quote(json.dumps([experiment]))}"
    with launched() as browser:
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path, default=Path("docs/mlflow.png"))
    picture = parser.parse_args().picture
    trials = store.load_sweep()
    experiment = mlflow.MlflowClient(uri()).get_experiment_by_name(EXPERIMENT).experiment_id
    with mlflow_ui(uri()) as address:
        photograph(address, experiment, [trial.run_id for trial in trials], picture)
    print(picture)


if __name__ == "__main__":
    main()
