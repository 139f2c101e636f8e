"""From a sweep to the champion, and DVC's experiments, in a copy of the trained project."""

import hashlib
import json
import time

import pytest
import yaml

from tests.contract.clone import get, served
from tests.project import stages_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

GATES = {"mnist": 0.5, "strokes": 0.5, "nondigits": 0.0, "p_value": 0.05, "latency_ratio": 5.0, "size_bytes": 500_000}


@pytest.fixture(scope="module")
def project(copy_trained, tmp_path_factory):
    """The trained project with a learning rate that is far too low, not yet trained with it."""
    project = copy_trained(tmp_path_factory.mktemp("champion") / "inkling")
    project.write("conf/gates.yaml", yaml.safe_dump(GATES))
    set_learning_rate(project, "0.00001")  # as YAML reads a number
    project.commit()
    return project


def learning_rate(project):
    return yaml.safe_load(project.read("params.yaml"))["train"]["learning_rate"]


def set_learning_rate(project, value):
    old, params = f"learning_rate: {learning_rate(project)}", project.read("params.yaml")
    project.write("params.yaml", params.replace(old, f"learning_rate: {value}"))


def reproduce(project):
    output = project.run("dvc", "repro")
    project.commit()
    return stages_run(output)


def aliases(project):
    return {alias: str(number) for alias, number in project.client().get_registered_model("digits").aliases.items()}


def test_the_best_of_a_sweep_becomes_champion_and_a_worse_model_does_not(project):
    project.run("pipeline.train", "-m", "train.learning_rate=0.00001,0.005,0.0001")
    project.run("pipeline.promote")
    assert learning_rate(project) == 0.005
    assert project.git("diff", "--shortstat").strip() == "1 file changed, 1 insertion(+), 1 deletion(-)"

    assert "the git tree has changes" in project.run("pipeline.register", ok=False)
    project.commit()
    assert "`dvc status` is not clean (train" in project.run("pipeline.register", ok=False)
    assert reproduce(project) == ["train", "evaluate", "export"]
    assert project.git("status", "--porcelain") == ""

    assert "version 1 is the champion" in project.run("pipeline.register")
    assert aliases(project) == {"challenger": "1", "champion": "1"}
    assert "it is the champion already" in project.run("pipeline.register")
    champion = (project.directory / "models" / "digits.onnx").read_bytes()

    set_learning_rate(project, 0.0001)
    reproduce(project)
    refused = project.run("pipeline.register", ok=False)
    assert "error: version 2 fails" in refused
    assert "version 1 stays champion" in refused
    assert aliases(project) == {"challenger": "2", "champion": "1"}
    tags = project.client().get_model_version("digits", "2").tags
    assert tags["gate.mnist_p_value"].startswith("FAILS")
    assert tags["git_commit"] == project.git("rev-parse", "HEAD").strip()

    with served(project.directory, "serve", "MODEL=champion", seconds=200) as (address, _):
        assert json.loads(get(f"{address}/api/model"))["sha256"] == hashlib.sha256(champion).hexdigest()
        shown_lineage = project.run("pipeline.lineage", address)
        for part in ("version 1 (champion) of the registry", "train: python -m"):
            assert part in shown_lineage
    shown_lineage = json.loads(project.run("pipeline.lineage", "models/digits.onnx", "--json"))
    (commit,), (version, *_) = shown_lineage["commits"], shown_lineage["versions"]
    assert commit["id"] == tags["git_commit"] == version["commit"]
    assert version["run_id"] == shown_lineage["runs"][0]["run_id"]
    assert [check for check in shown_lineage["checks"] if check["result"] != "agrees"] == []
    project.run("pipeline.fetch", "1")
    assert (project.directory / "outputs/registry/1.onnx").read_bytes() == champion
    assert "no model 'best'; it has 1, 2, challenger, champion" in project.run("pipeline.fetch", "best", ok=False)
    assert project.git("status", "--porcelain") == ""


def test_dvc_s_experiments_have_the_same_values_and_runs_in_mlflow(project):
    reproduce(project)
    before = project.read("params.yaml")
    project.run("dvc", "exp", "run", "--name", "here", "-S", "train.learning_rate=0.001")
    assert learning_rate(project) == 0.001
    project.git("reset", "-q", "--hard")
    project.run("dvc", "exp", "run", "--queue", "--name", "queued", "-S", "train.learning_rate=0.002")
    project.run("dvc", "queue", "start")
    while "Success" not in (status := project.run("dvc", "queue", "status")):  # the time limit of the test ends it
        assert "Failed" not in status, project.run("dvc", "queue", "logs", "queued")
        time.sleep(1)
    project.run("dvc", "queue", "stop")
    assert project.read("params.yaml") == before

    differences = json.loads(project.run("dvc", "exp", "diff", "--json", "here", "queued").splitlines()[-1])
    assert differences["params"]["params.yaml"] == {"train.learning_rate": {"old": 0.001, "new": 0.002, "diff": 0.001}}
    accuracies, client = differences["metrics"]["metrics/main.json"]["val_accuracy"], project.client()
    experiment = client.get_experiment_by_name("inkling").experiment_id
    for name, side, rate in (("here", "old", "0.001"), ("queued", "new", "0.002")):
        (run,) = client.search_runs([experiment], f"attributes.run_name = '{name}'")
        assert (run.info.status, run.data.params["train.learning_rate"]) == ("FINISHED", rate)
        assert run.data.metrics["kept_val_accuracy"] == pytest.approx(accuracies[side], abs=1e-6)
        assert {"test_accuracy", "parity_difference"} <= run.data.metrics.keys()
