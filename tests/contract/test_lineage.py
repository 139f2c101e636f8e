"""The lineage of the committed model, and the example in the document."""

import hashlib
import re

import pytest
import yaml

from pipeline.lineage import main, trace
from pipeline.provenance.checks import AGREES, DIFFERS
from pipeline.provenance.commits import contents
from pipeline.provenance.search import MODEL
from pipeline.tracking.git import git
from tests.project import ROOT

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


@pytest.fixture(autouse=True)
def no_store(tmp_path, monkeypatch):
    """Look as in a clone without an MLflow store, also where the project has one, and create none."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    monkeypatch.setattr("pipeline.provenance.search.exists", lambda _: False)
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.iterdir())


def test_the_committed_model_has_its_stages():
    (model,) = contents([f"HEAD:./{MODEL}"], ROOT)
    found = trace(hashlib.sha256(model).hexdigest()[:8])
    assert found.commits
    assert [stage.name for stage in found.stages] == list(STAGES)
    assert [stage.cmd for stage in found.stages] == [STAGES[name]["cmd"] for name in STAGES]
    assert found.stages[-1].outs[MODEL] == hashlib.md5(model).hexdigest()
    assert not [check for check in found.checks if check.result == DIFFERS]
    compared = {check.what for check in found.checks if check.result == AGREES}
    assert {"parameters", "stages", "data", "metrics"} <= compared


def test_the_command_prints_the_example_of_the_document(capsys):
    example = r"```sh\npython -m pipeline\.lineage (\w+)\n```\n+```\n(.*?)\n```"
    command, printed = re.search(example, (ROOT / "docs" / "lineage.md").read_text(), re.DOTALL).groups()
    if git(ROOT, "rev-parse", "--is-shallow-repository") == b"true\n":
        pytest.skip("a shallow clone lacks the commit of the example")
    main([command])
    lines = iter(capsys.readouterr().out.splitlines())
    for line in printed.splitlines():
        assert line == "..." or line in lines, line  # in this order
