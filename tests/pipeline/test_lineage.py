"""A small project in git, with a dvc.lock as DVC writes it; what MLflow knows is in test_registry.py."""

import json
import shutil
import threading
from copy import copy
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count

import pytest

from pipeline import lineage
from pipeline.base.errors import DataError
from pipeline.lineage import LineageError, main, trace
from pipeline.provenance import search
from pipeline.provenance.checks import AGREES, CARD, DIFFERS
from pipeline.provenance.text import TREE
from serving.model.card import ModelCard
from tests.pipeline.lineage_project import CONFIG, DIGESTS, STAGES, Project, config, md5, model, results, sha256


@pytest.fixture(autouse=True)
def no_store(tmp_path, monkeypatch):
    """No test may make a database by looking."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    yield
    assert not list(tmp_path.rglob("mlflow.db"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One with two models."""
    project = Project(tmp_path_factory.mktemp("made") / "project")
    project.first = project.export(config(3))
    project.first_commit = project.commit("the first model")
    project.second = project.export(config())
    project.second_commit = project.commit("the second model")
    return project


@pytest.fixture
def project(made, tmp_path):
    """A copy to change."""
    project = copy(made)
    project.directory = tmp_path / "project"
    shutil.copytree(made.directory, project.directory)
    return project


@pytest.mark.parametrize("n_digits", [8, 64])
def test_a_committed_model_has_its_commit_and_the_stages_that_lead_to_it(project, n_digits):
    found = project.trace(sha256(project.second)[:n_digits])
    assert [(one.id, one.subject) for one in found.commits] == [(project.second_commit, "the second model")]
    assert (found.in_head, found.locked_in, found.files) == (True, project.second_commit, ["models/digits.onnx"])
    assert [stage.name for stage in found.stages] == STAGES
    assert found.stages[1].params == {"train.epochs": CONFIG.train.epochs}
    assert found.stages[-1].outs["models/digits.onnx"] == found.md5 == md5(project.second)
    assert found.card["data"]["sha256"] == DIGESTS
    assert set(results(found).values()) == {AGREES, "not compared"}
    assert results(found)["data", f"{CARD} as in dvc.lock"] == "not compared"
    assert results(found)["3 paths of code and results", "dvc.lock"] == AGREES
    assert [one.part for one in found.missing] == ["MLflow"]


def test_an_earlier_one_is_found_with_what_made_it_then(project):
    found = project.trace(sha256(project.first)[:12])
    assert [one.id for one in found.commits] == [project.first_commit]
    assert (found.in_head, found.locked_in, found.files) == (False, project.first_commit, [])
    assert found.stages[1].params == {"train.epochs": 3}
    assert DIFFERS not in results(found).values()


def test_one_that_came_back_has_both_commits_and_one_that_is_on_no_branch_is_found(project):
    project.git("revert", "--no-edit", "HEAD")
    back = project.git("rev-parse", "HEAD")
    assert [one.id for one in project.trace(sha256(project.first)).commits] == [project.first_commit, back]
    experiment = project.export(config(5))
    project.commit("an experiment")
    project.git("update-ref", "refs/exps/one", "HEAD")  # as DVC keeps its experiments
    project.git("reset", "-q", "--hard", "HEAD~1")
    assert [one.subject for one in project.trace(sha256(experiment)).commits] == ["an experiment"]


def test_a_merge_that_did_not_take_a_model_hides_no_commit(project):
    project.git("switch", "-q", "-c", "other", project.first_commit)
    other = project.export(config(5))
    project.commit("another model")
    project.git("switch", "-q", "main")
    project.git("merge", "-q", "--strategy=ours", "--no-edit", "other")
    project.git("branch", "-q", "-D", "other")
    assert [one.subject for one in project.trace(sha256(other)).commits] == ["another model"]
    assert [one.subject for one in project.trace(sha256(project.second)).commits] == ["the second model"]


def test_a_model_that_is_not_committed_yet_has_the_stages_of_the_working_tree(project):
    fresh = project.export(config(5))
    found = project.trace(str(project.directory / "models/digits.onnx"))
    assert (found.sha256, found.commits, found.locked_in) == (sha256(fresh), [], TREE)
    assert [stage.name for stage in found.stages] == STAGES
    assert results(found)["parameters", "dvc.lock here"] == AGREES
    assert any("no commit has these bytes" in one.what and "commit it" in one.do for one in found.missing)


def test_an_ambiguous_prefix_is_refused_with_the_candidates(project):
    seen = {}
    for number in count():
        content = str(number).encode()
        start = sha256(content)[:4]
        if start in seen:
            break
        seen[start] = content
    project.write("models/digits.onnx", content)
    project.commit("one of two")
    project.write("outputs/registry/1.onnx", seen[start])
    with pytest.raises(LineageError, match="may be") as error:
        project.trace(start)
    assert all(sha256(one) in str(error.value) for one in (content, seen[start]))


def test_an_unknown_one_ends_with_1_and_says_where_it_was_searched(project, monkeypatch, capsys):
    monkeypatch.setattr(lineage, "trace", project.trace)
    with pytest.raises(SystemExit) as end:
        main(["0123456789ab"])
    for said in (
        "0123456789ab",
        "2 contents of models/digits.onnx in git",
        "outputs/registry",
        "MLflow: there is no store at",
    ):
        assert said in end.value.code
    path = project.directory / "elsewhere.onnx"
    path.write_bytes(model("unknown"))
    with pytest.raises(SystemExit) as end:
        main([str(path)])
    assert end.value.code == 1
    assert "nothing is known of how" in capsys.readouterr().out  # after what the file itself says
    with pytest.raises(SystemExit, match=r"'nope' is no file, .* name a model file, or 4 to 64 hex digits"):
        main(["nope"])
    with pytest.raises(DataError, match=r"params\.yaml is not a model file"):
        project.trace(str(project.directory / "params.yaml"))


def test_without_git_or_with_a_shallow_clone_it_says_so(project, tmp_path):
    shallow = tmp_path / "shallow"
    project.git("clone", "-q", "--depth", "1", project.directory.as_uri(), str(shallow))
    found = trace(sha256(project.second), shallow)
    assert [one.subject for one in found.commits] == ["the second model"]
    assert any("shallow" in one.what and one.do == "git fetch --unshallow" for one in found.missing)
    (project.directory / ".git").rename(project.directory / "gone")
    found = project.trace(sha256(project.second))
    assert (found.commits, found.locked_in) == ([], TREE)
    assert any("not a git repository" in one.what for one in found.missing)


def test_a_running_service_is_asked_for_its_model(project, monkeypatch, capsys):
    names = set(ModelCard.__dataclass_fields__)
    card = {"sha256": sha256(project.second), "params_sha256": "of the service", "data": {}, "metrics": {}}
    assert set(card) <= names

    class Service(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/api/model" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(card).encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(lineage, "trace", project.trace)
        main([f"{address}/", "--json"])
        told = json.loads(capsys.readouterr().out)
        assert told["sha256"] == card["sha256"]
        assert told["commits"][0]["id"] == project.second_commit
        assert [stage["name"] for stage in told["stages"]] == STAGES
        server.shutdown()
    with pytest.raises(LineageError, match=rf"no service answers at {address}/api/model"):
        project.trace(address)


def test_the_text_has_each_parameter_and_each_hash_once(project, monkeypatch, capsys):
    monkeypatch.setattr(lineage, "trace", project.trace)
    main([sha256(project.second)[:8]])
    text = capsys.readouterr().out
    assert text.count("train.epochs=") == text.count("1" * 32) == 1
    assert "from train     models/network.weights.h5" in text
    assert "    agrees         parameters, params.yaml of " in text
    assert "teach" not in text


@pytest.mark.parametrize(
    ("address", "is_there"),
    [("sqlite:///{}/here", True), ("sqlite:///{}/gone", False), ("{}/gone", False), ("file://{}/here", True),
     ("http://127.0.0.1:1", True), ("postgresql://user@host/gone", True)],
)  # fmt: skip
def test_only_a_store_that_is_there_is_asked(tmp_path, address, is_there):
    (tmp_path / "here").touch()
    assert search.has_store(address.format(tmp_path)) == is_there
