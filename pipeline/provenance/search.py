"""Search git, files and MLflow for a model. Write nothing."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pipeline.base.errors import RegistryError
from pipeline.base.paths import PROJECT
from pipeline.provenance.commits import Commit, commits_by_content, contents, is_shallow
from pipeline.registry import store
from pipeline.registry.store import Trial, Version
from pipeline.tracking.git import GitError
from pipeline.tracking.runs import MODEL_TAG, uri

MODEL = "models/digits.onnx"
FETCHED = "outputs/registry"  # where `pipeline.fetch` puts them


@dataclass(frozen=True)
class Missing:
    """A part of the lineage that was not found.

    Attributes:
        part: of the lineage.
        what: is missing, and why.
        do: how to find it.
    """

    part: str
    what: str
    do: str


class Search:
    """The models whose SHA-256 starts with some digits; a source that does not answer is in `missing`.

    Attributes:
        searched: the sources that answered, in words.
        store: MLflow's address; within the project, from there.
        content: bytes of each model file that is here, by SHA-256, as all that follow.
        files: paths from the project.
        commits: that brought the model, oldest first.
        runs: that exported it, latest first.
        versions: of the registry, with their aliases.
    """

    def __init__(self, start: str, directory: Path) -> None:
        """Search for the models whose SHA-256 starts with `start`, in the project at `directory`."""
        self.directory = directory
        self.start = start
        self.missing: list[Missing] = []
        self.searched: list[str] = []
        self.store = uri().replace(f"{PROJECT}/", "")
        self.content: dict[str, bytes] = {}
        self.files: dict[str, list[str]] = {}
        self.commits: dict[str, list[Commit]] = {}
        self.runs: dict[str, list[Trial]] = {}
        self.versions: dict[str, dict[Version, list[str]]] = {}
        self._look_in_git()
        self._look_at_files()
        self._look_in_mlflow()

    @property
    def found(self) -> set[str]:
        """SHA-256 of all models that were found."""
        return {*self.files, *self.commits, *self.runs, *self.versions}

    def _look_in_git(self) -> None:
        try:
            commits = commits_by_content(MODEL, self.directory)
            for name, file in zip(commits, contents(list(commits), self.directory), strict=True):
                if file is not None and (sha256 := sha256_of(file)).startswith(self.start):
                    self.content[sha256], self.commits[sha256] = file, commits[name]
            self.searched.append(f"{len(commits)} contents of {MODEL} in git")
            if is_shallow(self.directory):
                what = "the clone is shallow, and older commits are missing"
                self.missing.append(Missing("git", what, "git fetch --unshallow"))
        except GitError as error:
            self.missing.append(Missing("git", str(error), "ask in a clone of the project's repository"))

    def _look_at_files(self) -> None:
        files = [self.directory / MODEL, *sorted((self.directory / FETCHED).glob("*.onnx"))]
        for file in filter(Path.is_file, files):
            if (sha256 := sha256_of(read := file.read_bytes())).startswith(self.start):
                self.content[sha256] = read
                self.files.setdefault(sha256, []).append(str(file.relative_to(self.directory)))
        self.searched.append(f"{MODEL} and {FETCHED}/*.onnx")

    def _look_in_mlflow(self) -> None:
        if not has_store(uri()):
            do = "set MLFLOW_TRACKING_URI to the store of the training; git has no runs"
            self.missing.append(Missing("MLflow", f"there is no store at {self.store}", do))
            return
        try:
            for run in store.find_exports(self.start):
                self.runs.setdefault(run.tags[MODEL_TAG], []).append(run)
            for name, version in store.versions().items():
                if version.sha256.startswith(self.start):
                    self.versions.setdefault(version.sha256, {}).setdefault(version, [])
                    if name != version.number:
                        self.versions[version.sha256][version].append(name)
            self.searched.append(f"the runs and the registry of MLflow at {self.store}")
        except RegistryError as error:
            self.missing.append(Missing("MLflow", str(error), "start that server, or set MLFLOW_TRACKING_URI"))


def has_store(address: str) -> bool:
    """Return whether an MLflow store exists: MLflow creates a missing database or folder."""
    kind, _, place = address.rpartition("://")
    if kind not in ("", "file", "sqlite"):
        return True
    return Path(place.removeprefix("/") if kind == "sqlite" else place).exists()


def sha256_of(content: bytes) -> str:
    """Return the digest in hex."""
    return hashlib.sha256(content).hexdigest()
