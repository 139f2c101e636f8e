"""One real run of each workflow of the pipeline; test_install.py and test_hot_swap.py have those of the service."""

import json

import pytest

from bench.clones import differing, hashes
from tests.contract.clone import MAKE, OFFLINE, clone_into, get, served
from tests.project import run

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(1800)]


def test_both_commands_of_the_readme_work_in_a_fresh_clone(tmp_path):
    clone = clone_into(tmp_path / "inkling")
    with served(clone.directory, "run") as (address, log):
        assert "<title>" in get(address)
        card = json.loads(get(f"{address}/api/model"))
        assert address in log.read_text()
    assert card["data"]["source"] == "mnist"
    assert card["metrics"] == json.loads(clone.read("metrics/test.json"))
    some = {"PYTEST_ADDOPTS": "tests/serving/test_app.py tests/contract/test_layers.py tests/e2e/test_docs_page.py"}
    assert " passed" in run(clone.directory, *MAKE, "test", env=OFFLINE | some)
    assert not (clone.directory / "data").exists()
    assert clone.git("status", "--porcelain") == ""


def test_a_second_clone_makes_every_output_alike(trained, tmp_path):
    clone = clone_into(tmp_path / "inkling", trained.directory)
    # The tracking store does not answer, which must not change an output either.
    clone.run("pipeline.reproduce", "all", MLFLOW_TRACKING_URI="http://127.0.0.1:1")
    first, second = trained.read("dvc.lock"), clone.read("dvc.lock")
    assert len(hashes(first)) > 20
    assert differing(first, second) == []
    assert clone.git("status", "--porcelain") == ""


def test_a_sweep_finds_the_better_value(copy_trained, tmp_path):
    project = copy_trained(tmp_path / "inkling")
    project.run("pipeline.train", "-m", "train.learning_rate=0.00001,0.005")
    client = project.client()
    runs = client.search_runs([client.get_experiment_by_name("inkling").experiment_id])
    (sweep,) = (run for run in runs if "mlflow.parentRunId" not in run.data.tags)
    rates = {run.info.run_id: run.data.params["train.learning_rate"] for run in runs if run is not sweep}
    assert sorted(rates.values()) == ["0.005", "1e-05"]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert rates[sweep.data.tags["best_run"]] == "0.005"
    assert project.git("status", "--porcelain") == ""
    assert "+  learning_rate: 0.005" in project.run("pipeline.promote")
