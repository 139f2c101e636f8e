"""The lineage of a model, as text and as JSON."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.provenance.checks import Check
from pipeline.provenance.commits import Commit
from pipeline.provenance.dvc_lock import Stage, holds, sources
from pipeline.provenance.search import Missing
from pipeline.registry.store import Trial, Version

TREE = "the working tree"
WIDTH = 120


@dataclass
class Lineage:
    """The origin of a model.

    Attributes:
        sha256: of the file.
        md5: of the file; empty if its bytes are not here.
        card: `params_sha256`, `parameters`, `data` and `metrics` of the file; empty if its metadata is not here.
        files: paths from the project.
        commits: that brought it, oldest first.
        in_head: whether HEAD has it.
        locked_in: the commit whose dvc.lock has its stages, or `TREE`; empty if there is none.
        stages: of that dvc.lock, in the order in which they ran.
        store: MLflow's address.
        runs: that exported it.
        versions: of the registry, each with its aliases.
        checks: comparisons of the file's metadata with its origin.
        missing: parts that were not found.
    """

    sha256: str
    md5: str = ""
    card: dict[str, Any] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    in_head: bool = False
    locked_in: str = ""
    stages: list[Stage] = field(default_factory=list)
    store: str = ""
    runs: list[Trial] = field(default_factory=list)
    versions: dict[Version, list[str]] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)

    @property
    def is_known(self) -> bool:
        """Whether anything about its origin was found."""
        return bool(self.commits or self.stages or self.runs or self.versions)

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, for JSON."""
        versions = [asdict(version) | {"aliases": aliases} for version, aliases in self.versions.items()]
        return {
            name: [asdict(one) for one in value]
            if name in ("commits", "stages", "runs", "checks", "missing")
            else value
            for name, value in vars(self).items()
        } | {"versions": versions}


def describe(lineage: Lineage) -> str:
    """Return the lineage as text. Hashes of code are only counted; `--json` prints them."""
    return "\n".join(_lines(lineage))


def _lines(lineage: Lineage) -> Iterator[str]:
    yield f"model {lineage.sha256}"
    yield from _row("lies in", ", ".join(lineage.files))
    if lineage.card:
        data = lineage.card["data"]
        yield from _row("parameters", lineage.card["params_sha256"])
        yield from _row("data", data["title"])
        for split, digest in data["sha256"].items():
            yield from _row("", f"{split} {digest}")
    for commit in lineage.commits:
        yield f"commit {commit.id}"
        yield from _row(commit.date, commit.subject)
    if lineage.commits:
        yield from _row("HEAD", "has it" if lineage.in_head else "has another model")
    if lineage.stages:
        yield f"dvc.lock of {lineage.locked_in}: MD5 {lineage.md5}"
        yield from _stages(lineage.stages, lineage.md5)
    for run in lineage.runs:
        yield from _run(run, lineage.store)
    for version, aliases in lineage.versions.items():
        names = f" ({', '.join(aliases)})" if aliases else ""
        yield f"version {version.number}{names} of the registry"
        yield from _row("registered", version.commit)
        yield from _row("run", version.run_id)
    if lineage.checks:
        yield "compared"
    for check in lineage.checks:
        yield from _row(check.result, f"{check.what}, {check.where}{f': {check.note}' if check.note else ''}")
    if lineage.missing:
        yield "not found"
    for missing in lineage.missing:
        yield from _row(missing.part, f"{missing.what}: {missing.do}")


def _stages(stages: Sequence[Stage], model_md5: str) -> Iterator[str]:
    """Yield the lines of the stages, with each parameter and each hash once."""
    shown_params: set[str] = set()
    makers = {path: stage.name for stage in stages for path in stage.outs}
    taken = {path for stage in stages for path in stage.deps}
    in_git = sources(stages)
    for stage in stages:
        yield f"  {stage.name}: {stage.cmd}"
        params = {f"{key}={json.dumps(value)}": None for key, value in stage.params.items()}
        yield from _row("params", " ".join(text for text in params if text not in shown_params))
        shown_params.update(params)
        for maker in dict.fromkeys(makers.values()):
            yield from _row(f"from {maker}", " ".join(path for path in stage.deps if makers.get(path) == maker))
        yield from _row("code", f"{len(in_git & stage.deps.keys())} paths")
        for path, md5 in stage.deps.items():
            if path not in in_git and path not in makers:
                yield from _row("took", f"{md5} {path}")
        shown = [out for out, md5 in stage.outs.items() if md5 == model_md5 or any(holds(out, one) for one in taken)]
        for path in shown:
            yield from _row("made", f"{stage.outs[path]} {path}")
        further = len(stage.outs) - len(shown)
        yield from _row("made", f"{further} more" if further else "")


def _run(run: Trial, store: str) -> Iterator[str]:
    yield f"run {run.run_id} of MLflow at {store}: {run.name}, {run.status}"
    shown = {"started from": "git_commit", "dvc.lock": "dvc_lock_sha256", "weights": "weights_sha256", "data": "data"}
    for name, tag in (shown | {"sweep": "mlflow.parentRunId"}).items():
        yield from _row(name, run.tags.get(tag, ""))


def _row(name: str, text: str) -> Sequence[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=f"    {name:<13}  ", subsequent_indent=" " * 19,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
