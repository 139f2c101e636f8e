"""Lineage in a small project in git with a dvc.lock; registry/test_store.py has that in MLflow."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pipeline import lineage
from pipeline.lineage import TREE, LineageError, main, trace
from pipeline.provenance.checks import AGREES
from serving.model.card import ModelCard
from tests.pipeline.lineage_project import CONFIG, DIGESTS, STAGES, LineageProject, config, md5, model, sha256


@pytest.fixture(autouse=True)
def no_store(tmp_path, monkeypatch):
    """Check that no test creates a database by searching."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    yield
    assert not list(tmp_path.rglob("mlflow.db"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project with two models."""
    project = LineageProject(tmp_path_factory.mktemp("made") / "project")
    project.make_repository()
    project.first = project.export(config(3))
    project.first_commit = project.commit("the first model")
    project.second = project.export(config())
    project.second_commit = project.commit("the second model")
    return project


@pytest.fixture
def project(made, tmp_path, monkeypatch):
    """A copy that a test may change."""
    project = made.copy_to(tmp_path / "project")
    monkeypatch.setattr(lineage, "trace", project.trace)
    return project


def test_a_committed_model_has_its_commit_and_its_stages(project):
    found = project.trace(sha256(project.second)[:8])
    assert [(commit.id, commit.subject) for commit in found.commits] == [(project.second_commit, "the second model")]
    assert (found.locked_in, found.files) == (project.second_commit, ["models/digits.onnx"])
    assert [stage.name for stage in found.stages] == STAGES
    assert found.stages[1].params == {"train.epochs": CONFIG.train.epochs}
    assert found.stages[-1].outs["models/digits.onnx"] == found.md5 == md5(project.second)
    assert found.card["data"]["sha256"] == DIGESTS
    assert "3 paths of code and results" in [check.what for check in found.checks]
    assert {check.result for check in found.checks} == {AGREES}
    assert list(found.missing) == ["MLflow"]


def test_an_earlier_model_has_its_own_commit_and_stages(project):
    found = project.trace(sha256(project.first)[:12])
    assert [commit.id for commit in found.commits] == [project.first_commit]
    assert (found.locked_in, found.files) == (project.first_commit, [])
    assert found.stages[1].params == {"train.epochs": 3}
    assert {check.result for check in found.checks} == {AGREES}


def subjects(project, model):
    return [commit.subject for commit in project.trace(sha256(model)).commits]


def test_all_commits_of_a_model_are_found(project):
    experiment = project.export(config(5))
    project.commit("an experiment")
    project.git("update-ref", "refs/exps/one", "HEAD")
    project.git("switch", "-q", "-c", "other", project.first_commit)
    other = project.export(config(6))
    project.commit("another model")
    project.git("switch", "-q", "main")
    project.git("reset", "-q", "--hard", project.second_commit)
    project.git("revert", "--no-edit", "HEAD")
    project.git("merge", "-q", "--strategy=ours", "--no-edit", "other")
    project.git("branch", "-q", "-D", "other")
    assert subjects(project, experiment) == ["an experiment"]
    assert subjects(project, other) == ["another model"]
    assert subjects(project, project.first) == ["the first model", 'Revert "the second model"']


def test_a_model_that_is_not_committed_yet_has_the_stages_of_the_working_tree(project):
    fresh = project.export(config(5))
    found = project.trace(str(project.directory / "models/digits.onnx"))
    assert (found.sha256, found.commits, found.locked_in) == (sha256(fresh), [], TREE)
    assert [stage.name for stage in found.stages] == STAGES
    assert [(check.what, check.result) for check in found.checks] == [("parameters", AGREES), ("stages", AGREES)]
    assert "no commit has these bytes" in found.missing["git"]
    assert "commit it" in found.missing["git"]


def test_an_ambiguous_prefix_is_refused_with_the_candidates(project):
    first, second = b"157", b"251"
    project.write("models/digits.onnx", first)
    project.write("outputs/registry/1.onnx", second)
    with pytest.raises(LineageError, match="matches several models") as error:
        project.trace("c75d")
    assert all(sha256(content) in str(error.value) for content in (first, second))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("0123456789ab", "0123456789ab is unknown; searched: .*outputs/registry.*; MLflow: there is no store at"),
        ("nope", "'nope' is not a file, .* name a model file, or 4 to 64 hex digits"),
        ("params.yaml", r"params\.yaml is not a model file"),
    ],
)
def test_an_unknown_model_is_an_error_with_the_searched_places(project, monkeypatch, asked, message):
    monkeypatch.chdir(project.directory)
    with pytest.raises(SystemExit, match=message):
        main([asked])


def test_a_file_of_unknown_origin_is_shown_and_the_exit_code_is_1(project, capsys, tmp_path):
    (tmp_path / "elsewhere.onnx").write_bytes(model(config(7)))
    with pytest.raises(SystemExit, match="1"):
        main([str(tmp_path / "elsewhere.onnx")])
    assert "its origin is unknown" in capsys.readouterr().out


def test_missing_history_is_reported(project, tmp_path):
    shallow = tmp_path / "shallow"
    project.git("clone", "-q", "--depth", "1", project.directory.as_uri(), str(shallow))
    (shallow / "models/digits.onnx").write_bytes(project.first)
    assert "git fetch --unshallow" in trace(sha256(project.first), shallow).missing["git"]
    (project.directory / ".git").rename(project.directory / "gone")
    found = project.trace(sha256(project.second))
    assert (found.commits, found.locked_in) == ([], TREE)
    assert "not a git repository" in found.missing["git"]
    LineageProject(project.directory).make_repository()  # another one
    for missing in (found.missing, project.trace(sha256(project.second)).missing):
        assert "ask in a clone" in missing["git"]
        assert "commit it" not in missing["git"]


def test_the_model_of_a_running_service_is_found(project, capsys):
    assert "sha256" in ModelCard.__dataclass_fields__

    class Service(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/api/model" else 404)
            self.end_headers()
            self.wfile.write(json.dumps({"sha256": sha256(project.second)}).encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        main([f"{address}/", "--json"])
        printed = json.loads(capsys.readouterr().out)
        assert printed["sha256"] == sha256(project.second)
        assert printed["commits"][0]["id"] == project.second_commit
        assert [stage["name"] for stage in printed["stages"]] == STAGES
        server.shutdown()
    with pytest.raises(LineageError, match=rf"no service answers at {address}/api/model .* start it"):
        project.trace(address)


def test_the_text_has_each_parameter_and_each_hash_once(project, capsys):
    main([sha256(project.second)[:8]])
    text = capsys.readouterr().out
    assert text.count("train.epochs=") == text.count("1" * 32) == 1
    assert "    took           models/network.weights.h5 data/prepared/card.json\n" in text
    assert "    agrees         parameters, params.yaml of " in text
    assert "teach" not in text
