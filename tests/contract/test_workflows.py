"""One real run of each workflow of the pipeline; test_install.py and test_hot_swap.py have those of the service."""

import contextlib
import hashlib
import json
import re
import shutil

import pytest

from bench.clone import differing, hashes
from tests.contract.clone import MAKE, OFFLINE, clone_into, get, served
from tests.project import run, stages_run

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(1800)]


def test_both_commands_of_the_readme_work_in_a_fresh_clone(tmp_path):
    clone = clone_into(tmp_path / "inkling")
    with served(clone.directory, "run") as (address, log):
        assert "<title>" in get(address)
        card = json.loads(get(f"{address}/api/model"))
        assert address in log.read_text()
    assert card["parameters"]["data"]["source"] == "mnist"
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


def test_a_remote_brings_data_and_weights_to_another_clone(copy_trained, tmp_path):
    project = copy_trained(tmp_path / "inkling")
    project.run("dvc", "remote", "add", "-d", "team", str(tmp_path / "remote"))
    project.run("dvc", "push")
    project.commit()
    clone = clone_into(tmp_path / "clone", project.directory)
    clone.run("dvc", "pull")
    weights = "models/network.weights.h5"
    assert (clone.directory / weights).read_bytes() == (project.directory / weights).read_bytes()
    assert clone.is_up_to_date()
    assert "models/digits.onnx is up to date" in clone.run("pipeline.reproduce", "update")
    assert stages_run(clone.run("dvc", "repro")) == []


def test_the_error_for_a_damaged_file_names_the_command_that_repairs_it_in_the_cache_too(copy_trained, tmp_path):
    project = copy_trained(tmp_path / "inkling")
    file = project.directory / "data" / "prepared" / "train.npz"
    content = file.read_bytes()
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    cached = project.directory / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
    cached.chmod(0o644)
    cached.write_bytes(content[:100_000] + b"damaged" + content[100_007:])
    cached.chmod(0o444)  # DVC trusts these
    shutil.rmtree(file.parent)
    project.run("dvc", "checkout")
    command = project.run("pipeline.train", ok=False).split("run `")[1].split("`")[0]
    assert project.is_up_to_date()  # so that `dvc repro` would do nothing
    run(project.directory, "sh", "-c", command)
    assert file.read_bytes() == cached.read_bytes() == content
    assert project.is_up_to_date()


def test_an_interrupted_training_leaves_the_previous_weights(copy_trained, tmp_path):
    project = copy_trained(tmp_path / "inkling")
    files = [project.directory / "models" / name for name in ("network.weights.h5", "calibration.json")]
    before = [file.read_bytes() for file in files]
    project.write("pipeline/train.py", "raise KeyboardInterrupt")
    assert "exited with" in project.run("dvc", "repro", "train", ok=False)
    assert [file.read_bytes() for file in files] == before


def test_a_sweep_finds_the_better_value(copy_trained, tmp_path):
    project = copy_trained(tmp_path / "inkling")
    printed = project.run("pipeline.train", "-m", "train.learning_rate=0.00001,0.005")
    client = project.client()
    runs = client.search_runs([client.get_experiment_by_name("inkling").experiment_id])
    (sweep,) = (run for run in runs if "mlflow.parentRunId" not in run.data.tags)
    rates = {run.info.run_id: run.data.params["train.learning_rate"] for run in runs if run is not sweep}
    assert sorted(rates.values()) == ["0.005", "1e-05"]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert rates[sweep.data.tags["best_run"]] == "0.005"
    assert re.findall(r"s  train.learning_rate=(.*)", printed) == ["0.005", "1e-05"]
    assert f"`python -m pipeline.promote {sweep.info.run_id}`" in printed
    with contextlib.chdir(project.directory):  # the addresses of the artifacts are relative to it
        assert [file.path for file in client.list_artifacts(sweep.info.run_id)] == ["comparison"]
    assert len(list(project.directory.glob("outputs/multirun/*/*/models/network.weights.h5"))) == 2
    assert project.is_up_to_date()
    assert project.git("status", "--porcelain") == ""
    assert "+  learning_rate: 0.005" in project.run("pipeline.promote")
