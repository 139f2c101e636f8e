"""Search git, files and MLflow for a model. Write nothing."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.base.errors import RegistryError
from pipeline.provenance.checks import Check
from pipeline.provenance.commits import Commit, commits_by_content, contents
from pipeline.provenance.dvc_lock import Stage
from pipeline.registry import store
from pipeline.registry.store import Trial, Version
from pipeline.tracking.git import GitError
from pipeline.tracking.runs import MODEL_TAG
from pipeline.tracking.store import exists, uri

MODEL = "models/digits.onnx"
FETCHED = "outputs/registry"  # the directory in which `pipeline.fetch` stores models


@dataclass
class Lineage:
    """The origin of a model."""

    sha256: str
    content: bytes = b""  # empty if no copy was found
    card: dict[str, Any] = field(default_factory=dict)  # metadata that is compared
    files: list[str] = field(default_factory=list)  # paths relative to the project
    commits: list[Commit] = field(default_factory=list)  # the commits that introduced the file, oldest first
    locked_in: str = ""  # the commit whose dvc.lock has its stages, or the working tree
    stages: list[Stage] = field(default_factory=list)  # in the order in which they ran
    runs: list[Trial] = field(default_factory=list)  # the runs that exported the file
    versions: list[Version] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)  # why a part was not found, and how to find it

    @property
    def md5(self) -> str:
        """MD5 of the content, as in dvc.lock; empty if no copy was found."""
        return hashlib.md5(self.content).hexdigest() if self.content else ""  # noqa: S324 - DVC's

    @property
    def is_known(self) -> bool:
        """Return whether anything about its origin was found."""
        return bool(self.commits or self.stages or self.runs or self.versions)


def search(start: str, directory: Path) -> tuple[dict[str, Lineage], dict[str, str]]:
    """Return the models whose SHA-256 starts with `start`. Return also the sources that failed, with the remedy."""
    found: dict[str, Lineage] = {}
    missing = {}

    def find(sha256: str) -> Lineage:
        return found.setdefault(sha256, Lineage(sha256))

    try:
        if not (commits := commits_by_content(MODEL, directory)):  # an unpacked archive in another repository
            missing["git"] = f"no commit here has a {MODEL}: ask in a clone of the project's repository"
        for name, blob in zip(commits, contents(list(commits), directory), strict=True):
            if blob and (sha256 := sha256_of(blob)).startswith(start):
                find(sha256).content, find(sha256).commits = blob, commits[name]
    except GitError as error:
        missing["git"] = f"{error}: ask in a clone of the project's repository"
    for path in [directory / MODEL, *sorted((directory / FETCHED).glob("*.onnx"))]:
        if path.is_file() and (sha256 := sha256_of(file := path.read_bytes())).startswith(start):
            find(sha256).content = file
            find(sha256).files.append(str(path.relative_to(directory)))
    try:
        if exists(uri()):
            for run in store.find_trials(f"tags.{MODEL_TAG} LIKE '{start}%'"):
                find(run.tags[MODEL_TAG]).runs.append(run)
            for version in dict.fromkeys(store.versions().values()):
                if version.sha256.startswith(start):
                    find(version.sha256).versions.append(version)
        else:
            do = "set MLFLOW_TRACKING_URI to the store of the training; git has no runs"
            missing["MLflow"] = f"there is no store at {uri()}: {do}"
    except RegistryError as error:
        missing["MLflow"] = f"{error}: start that server, or set MLFLOW_TRACKING_URI"
    return found, missing


def sha256_of(content: bytes) -> str:
    """Return the SHA-256 of a content in hex."""
    return hashlib.sha256(content).hexdigest()
