"""The committed model leads back to its commit and its stages; the document's example is what the command prints."""

import hashlib
import re
import subprocess

import pytest
import yaml

from pipeline.lineage import main, trace
from pipeline.provenance.checks import AGREES, DIFFERS
from pipeline.provenance.git import content
from pipeline.provenance.search import MODEL
from tests.contract.imports import ROOT

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
DOCUMENT = (ROOT / "docs" / "lineage.md").read_text()


@pytest.fixture(autouse=True)
def no_store(tmp_path, monkeypatch):
    """None of whoever runs the tests."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("n_digits", [8, 64])
def test_the_committed_model_leads_back_to_its_stages(n_digits):
    model = content(f"HEAD:./{MODEL}", ROOT)
    found = trace(hashlib.sha256(model).hexdigest()[:n_digits])
    assert found.commits
    assert found.in_head
    assert [stage.name for stage in found.stages] == list(STAGES)
    assert [stage.cmd for stage in found.stages] == [STAGES[name]["cmd"] for name in STAGES]
    assert found.stages[-1].outs[MODEL] == hashlib.md5(model).hexdigest()
    # Of HEAD's files too: code or values that were committed without a training differ.
    assert not [check for check in found.checks if check.result == DIFFERS]
    compared = {(check.what, check.where.split(" of ")[0]) for check in found.checks if check.result == AGREES}
    assert {
        ("parameters", "params.yaml"),
        ("stages", "dvc.lock"),
        ("data", "docs/model_card.md"),
        ("bytes", "dvc.lock"),
    } <= compared


def test_the_document_s_example_is_what_the_command_prints(capsys):
    command, printed = re.search(
        r"```sh\npython -m pipeline\.lineage (\w+)\n```\n+```\n(.*?)\n```", DOCUMENT, re.DOTALL
    ).groups()
    commit = re.search(r"^commit (\w+)$", printed, re.MULTILINE)[1]
    if subprocess.run(["git", "cat-file", "-e", commit], cwd=ROOT, check=False, capture_output=True).returncode:
        pytest.skip("the commit of this earlier model is not in this clone's history")
    main([command])
    lines = iter(capsys.readouterr().out.splitlines())
    for line in printed.splitlines():
        assert line == "..." or line in lines, line  # in this order
