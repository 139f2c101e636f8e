"""The metadata of a model file compared with git and dvc.lock, in a small project."""

import pytest
import yaml

from pipeline.config.values import dump
from pipeline.provenance.checks import DIFFERS
from pipeline.provenance.commits import contents
from pipeline.provenance.dvc_lock import read_yaml
from tests.pipeline.lineage_project import CONFIG, DIGESTS, LineageProject, config, sha256


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with one model."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    project = LineageProject(tmp_path / "project")
    project.make_repository()
    project.model = project.export(config())
    project.commit()
    return project


def notes(project, model):
    """Return what differs, by what and where."""
    checks = project.trace(sha256(model)).checks
    assert all((check.result == DIFFERS) == bool(check.note) for check in checks)
    return {(check.what, check.where.split(" of ")[0]): check.note for check in checks}


def change_lock(project, change):
    lock = yaml.safe_load(project.read("dvc.lock"))
    change(lock["stages"])
    project.write("dvc.lock", yaml.safe_dump(lock))


def test_each_difference_is_found_and_named(project):
    wrong = project.export(config(5), metrics={"test_accuracy": 1.0})
    project.write("params.yaml", dump(config(6, "fast")))
    project.write("pipeline/train.py", "# changed since")
    project.write("docs/model_card.md", f"| {DIGESTS['train']} |")
    project.commit()
    assert notes(project, wrong) == {
        ("parameters", "params.yaml"): "train.epochs, runtime.mode",
        ("parameters", "dvc.lock"): "",
        ("stages", "dvc.lock"): "",
        ("data", "docs/model_card.md"): "validation",
        ("metrics", "metrics/test.json"): "test_accuracy",
        ("3 paths of code and results", "dvc.lock"): "pipeline/train.py, docs/model_card.md",
    }


def test_code_that_was_never_committed_differs(project):
    last = project.export(config(5))
    project.write(".gitignore", "pipeline")
    project.git("rm", "-q", "-r", "--cached", "pipeline")
    project.commit()
    assert notes(project, last)["3 paths of code and results", "dvc.lock"] == "pipeline/train.py"


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (
            lambda stages: stages["train"]["params"]["params.yaml"].update({"train.epochs": 3}),
            f"train.epochs: train had 3, export had {CONFIG.train.epochs}",
        ),
        (
            lambda stages: stages["export"]["deps"][0].update(md5="4" * 32),
            f'models/network.weights.h5: train had "{"1" * 32}", export had "{"4" * 32}"',
        ),
        (
            lambda stages: stages["export"]["deps"].append({"path": "pipeline/train.py", "md5": "5" * 32}),
            f'export had "{"5" * 32}"',
        ),
    ],
    ids=["parameters", "files", "code"],
)
def test_stages_that_do_not_fit_together_differ(project, change, note):
    change_lock(project, change)
    project.git("update-ref", "-d", "HEAD")  # so that the dvc.lock of the working tree counts
    assert notes(project, project.model)["stages", "dvc.lock here"].endswith(note)


def test_an_absent_path_may_contain_a_space(project):
    found = contents(["HEAD:./a b", "HEAD:./params.yaml", "HEAD:./a b c"], project.directory)
    assert list(found) == [None, dump(config()).encode(), None]


def test_numbers_are_read_as_hydra_reads_them():
    assert read_yaml("learning_rate: 1e-05") == {"learning_rate": 0.00001}
