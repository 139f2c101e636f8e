"""The metadata of a model file compared with git and dvc.lock, in a small project."""

import json

import pytest
import yaml

from pipeline.config.values import dump
from pipeline.provenance.checks import AGREES, CARD, DIFFERS, SKIPPED, compare_commit
from pipeline.provenance.commits import contents
from pipeline.provenance.dvc_lock import Stage, read_yaml
from tests.pipeline.lineage_project import CONFIG, DIGESTS, METRICS, LineageProject, config, md5, results, sha256


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with one model."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    project = LineageProject(tmp_path / "project")
    project.make_repository()
    project.model = project.export(config())
    project.head = project.commit("a model")
    return project


def check_of(project, model, what):
    """Return the only check of this name."""
    (check,) = [check for check in project.trace(sha256(model)).checks if check.what.endswith(what)]
    return check


def change_lock(project, change):
    lock = yaml.safe_load(project.read("dvc.lock"))
    change(lock["stages"])
    project.write("dvc.lock", yaml.safe_dump(lock))


def test_each_difference_is_found_and_named(project):
    wrong = project.export(config(5), metrics={"test_accuracy": 1.0})
    project.write("params.yaml", dump(config(6, "fast")))
    project.write("pipeline/train.py", "# changed since")
    project.write("docs/model_card.md", f"| {DIGESTS['train']} |")
    project.write(CARD, json.dumps({"sha256": DIGESTS}))
    project.commit()
    found = project.trace(sha256(wrong))
    notes = {(check.what, check.where.split(" of ")[0]): check.note for check in found.checks}
    assert results(found) == {
        ("parameters", "params.yaml"): DIFFERS,
        ("parameters", "dvc.lock"): AGREES,
        ("stages", "dvc.lock"): AGREES,
        ("data", f"{CARD} as in dvc.lock"): AGREES,
        ("data", "docs/model_card.md"): DIFFERS,
        ("metrics", "metrics/test.json"): DIFFERS,
        ("4 paths of code and results", "dvc.lock"): DIFFERS,
        ("bytes", "dvc.lock"): DIFFERS,
    }
    assert notes["parameters", "params.yaml"] == "train.epochs, runtime.mode"
    assert notes["data", "docs/model_card.md"] == "validation"
    assert notes["4 paths of code and results", "dvc.lock"] == "pipeline/train.py, docs/model_card.md"


def test_code_that_changed_between_two_stages_differs(project):
    """Editing or merging a dvc.lock can cause this."""
    last = project.export(config(5))
    entry = {"path": "pipeline/train.py", "hash": "md5", "md5": "5" * 32}
    change_lock(project, lambda stages: stages["export"]["deps"].append(entry))
    project.commit()
    check = check_of(project, last, "code and results")
    assert (check.result, check.note) == (DIFFERS, "pipeline/train.py")


def test_head_differs_if_a_stage_has_to_run_again(project):
    code = project.write("pipeline/train.py", "# tidied")
    change_lock(project, lambda stages: stages["train"]["deps"][1].update(md5=md5(code)))
    project.commit()
    check = check_of(project, project.model, "bytes")
    assert (check.result, check.note) == (AGREES, "made again since, with another pipeline/train.py")
    project.write("pipeline/train.py", "# changed, and not trained yet")
    project.write("params.yaml", dump(config(mode="fast")))
    project.commit()
    check = check_of(project, project.model, "bytes")
    assert check.result == DIFFERS
    assert 'in runtime.mode: export had "portable", params.yaml had "fast", pipeline/train.py: `dvc' in check.note


def test_code_that_was_never_committed_differs(project):
    last = project.export(config(5))
    project.write(".gitignore", "pipeline")
    project.git("rm", "-q", "-r", "--cached", "pipeline")
    project.commit()
    check = check_of(project, last, "code and results")
    assert (check.result, check.note) == (DIFFERS, "pipeline/train.py (not in the commit)")


def test_stages_without_files_in_git_are_not_compared(project):
    card = {"parameters": {}, "data": {"sha256": DIGESTS}, "metrics": METRICS}
    prepare = Stage("prepare", "", {}, {}, {"data/prepared": "1" * 32 + ".dir"})
    export = Stage("export", "", {}, {CARD: "1" * 32, "data/prepared/train.npz": "2" * 32}, {"a.yaml": "3" * 32})
    checks = {check.what: check for check in compare_commit(card, project.head, [prepare, export], project.directory)}
    assert checks["0 paths of code and results"].result == SKIPPED


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (
            lambda stages: stages["train"]["params"]["params.yaml"].update({"train.epochs": 3}),
            f"train.epochs: train had 3, export had {CONFIG.train.epochs}",
        ),
        (
            lambda stages: stages["export"]["deps"][0].update(md5="4" * 32),
            f"models/network.weights.h5: train made {'1' * 32}, export took {'4' * 32}",
        ),
    ],
    ids=["parameters", "files"],
)
def test_stages_that_do_not_fit_together_differ(project, change, note):
    change_lock(project, change)
    project.git("update-ref", "-d", "HEAD")  # so that the dvc.lock of the working tree counts
    check = check_of(project, project.model, "stages")
    assert (check.result, check.note) == (DIFFERS, note)


def test_an_absent_path_may_contain_a_space(project):
    found = contents(["HEAD:./a b", "HEAD:./params.yaml", "HEAD:./a b c"], project.directory)
    assert list(found) == [None, dump(config()).encode(), None]


def test_numbers_are_read_as_hydra_reads_them():
    assert read_yaml("learning_rate: 1e-05") == {"learning_rate": 0.00001}
