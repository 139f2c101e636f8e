import hashlib
import importlib.metadata

from pipeline.base.paths import ROOT
from pipeline.tracking.environment import code_tags, describe


def test_code_has_its_commit_and_the_digest_of_dvc_lock(monkeypatch):
    tags = code_tags()
    assert len(tags["git_commit"].removesuffix("-dirty")) == 40
    assert tags["dvc_lock_sha256"] == hashlib.sha256((ROOT / "dvc.lock").read_bytes()).hexdigest()
    monkeypatch.setenv("PATH", "")
    assert code_tags()["git_commit"] == "none"


def test_packages_are_listed_with_their_versions():
    assert f"numpy=={importlib.metadata.version('numpy')}" in describe().splitlines()
