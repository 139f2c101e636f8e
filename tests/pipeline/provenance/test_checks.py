"""What a model file says of itself, against what git and dvc.lock have, in a small project."""

import json

import pytest
import yaml

from pipeline.config.values import dump, params_sha256
from pipeline.provenance.checks import AGREES, CARD, DIFFERS, SKIPPED, of_commit
from pipeline.provenance.dvc_lock import Stage, read_yaml
from pipeline.provenance.git import contents
from tests.pipeline.lineage_project import CONFIG, DIGESTS, METRICS, Project, config, md5, model, results, sha256


@pytest.fixture
def project(tmp_path, monkeypatch):
    """One with a model."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    project = Project(tmp_path / "project")
    project.model = project.export(config())
    project.head = project.commit("a model")
    return project


def test_what_the_file_says_is_compared_with_what_made_it(project):
    wrong = project.export(config(5), metrics={"test_accuracy": 1.0})
    project.write("params.yaml", dump(config(6)))
    project.write("pipeline/train.py", "# changed since")
    project.write("docs/model_card.md", f"| {DIGESTS['train']} |")
    project.write(CARD, json.dumps({"sha256": DIGESTS}))
    project.commit("this and that")
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
    assert notes["parameters", "params.yaml"] == "train.epochs"
    assert notes["data", "docs/model_card.md"] == "validation"
    assert notes["4 paths of code and results", "dvc.lock"] == "pipeline/train.py, docs/model_card.md"


def test_code_that_changed_between_two_stages_differs(project):
    """DVC itself would see it; whoever edits or merges a dvc.lock may not."""
    last = project.export(config(5))
    lock = yaml.safe_load((project.directory / "dvc.lock").read_text())
    lock["stages"]["export"]["deps"].append({"path": "pipeline/train.py", "hash": "md5", "md5": "5" * 32})
    project.write("dvc.lock", yaml.safe_dump(lock))
    project.commit("another model")
    (check,) = [check for check in project.trace(sha256(last)).checks if check.what.endswith("code and results")]
    assert (check.result, check.note) == (DIFFERS, "pipeline/train.py")


def test_code_that_changed_while_the_bytes_stayed_is_named(project):
    lock = yaml.safe_load((project.directory / "dvc.lock").read_text())
    (code,) = [dep for dep in lock["stages"]["train"]["deps"] if dep["path"] == "pipeline/train.py"]
    code["md5"] = project.write("pipeline/train.py", "# tidied")
    project.write("dvc.lock", yaml.safe_dump(lock))
    project.commit("tidied")
    (check,) = [check for check in project.trace(sha256(project.model)).checks if check.what == "bytes"]
    assert (check.result, check.note) == (AGREES, "made anew since, with another pipeline/train.py")
    project.write("pipeline/train.py", "# changed, and not trained yet")
    project.write("params.yaml", dump(config(mode="fast")))
    project.commit("changed")
    (check,) = [check for check in project.trace(sha256(project.model)).checks if check.what == "bytes"]
    assert check.result == DIFFERS
    assert 'in runtime.mode: export had "portable", params.yaml had "fast", pipeline/train.py: `dvc' in check.note


def test_code_that_was_never_committed_differs_and_nothing_does_not_agree(project):
    last = project.export(config(5))
    project.write(".gitignore", "pipeline")
    project.git("rm", "-q", "-r", "--cached", "pipeline")
    project.commit("another model, without the code")
    (check,) = [check for check in project.trace(sha256(last)).checks if check.what.endswith("code and results")]
    assert (check.result, check.note) == (DIFFERS, "pipeline/train.py (not in the commit)")
    card = {"params_sha256": "", "data": {}, "metrics": METRICS}
    prepare = Stage("prepare", "", {}, [], {}, {"data/prepared": "1" * 32 + ".dir"})
    export = Stage("export", "", {}, [], {CARD: "1" * 32, "data/prepared/train.npz": "2" * 32}, {"a.yaml": "3" * 32})
    checks = {check.what: check for check in of_commit(card, project.head, [prepare, export], project.directory)}
    assert (checks["data"].result, checks["data"].note) == (SKIPPED, "the file tells no digests")
    assert checks["0 paths of code and results"].result == SKIPPED


def test_portable_and_fast_are_told_apart(project):
    """The hash of the parameters is the same."""
    portable = project.export(config(5))
    project.write("params.yaml", dump(config(5, "fast")))
    project.commit("another model")
    found = project.trace(sha256(portable))
    (check,) = [check for check in found.checks if check.where.startswith("params.yaml of")]
    assert (check.result, check.note) == (DIFFERS, "runtime.mode")
    assert results(found)["parameters", "dvc.lock"] == AGREES


def test_values_that_two_stages_read_otherwise_differ(project):
    """As of an export that alone was done again: its hash goes onto old weights."""
    lock = yaml.safe_load((project.directory / "dvc.lock").read_text())
    runtime = {key: value for key, value in vars(CONFIG.runtime).items() if key != "mode"}  # which came later
    lock["stages"]["train"]["params"]["params.yaml"] = {"train.epochs": 3, "runtime": runtime}
    project.write("models/digits.onnx", last := model(params_sha256(config())))
    project.write("dvc.lock", yaml.safe_dump(lock).replace(md5(project.model), md5(last)))
    (check,) = [check for check in project.trace(sha256(last)).checks if check.what == "stages"]
    assert check.result == DIFFERS
    assert set(check.note.split("; ")) == {
        f"train.epochs: train had 3, export had {CONFIG.train.epochs}",
        'runtime.mode: train had null, export had "portable"',
    }


def test_stages_that_did_not_run_one_after_the_other_differ(project):
    text = (project.directory / "dvc.lock").read_text()
    before, _, after = text.rpartition("1" * 32)
    project.write("dvc.lock", f"{before}{'4' * 32}{after}")
    project.write("models/digits.onnx", last := model("another"))
    project.write("dvc.lock", (project.directory / "dvc.lock").read_text().replace(md5(project.model), md5(last)))
    (check,) = [check for check in project.trace(sha256(last)).checks if check.what == "stages"]
    assert check.result == DIFFERS
    assert check.note == f"models/network.weights.h5: train made {'4' * 32}, export took {'1' * 32}"


def test_a_path_that_git_does_not_have_may_have_a_space(project):
    found = contents(["HEAD:./a b", "HEAD:./params.yaml", "HEAD:./a b c"], project.directory)
    assert list(found) == [None, dump(config()).encode(), None]


def test_numbers_are_read_as_those_who_wrote_them_do():
    assert read_yaml("learning_rate: 1e-05") == {"learning_rate": 0.00001}
