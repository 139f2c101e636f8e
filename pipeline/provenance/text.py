"""Print the lineage of a model as text."""

import json
import textwrap
from collections.abc import Iterator, Sequence

from pipeline.provenance.dvc_lock import Stage, sources
from pipeline.provenance.search import Lineage

TAGS = {
    "git_commit": "started from",
    "dvc_lock_sha256": "dvc.lock",
    "mlflow.parentRunId": "sweep",
}  # tags of a run that are printed


def describe(lineage: Lineage) -> Iterator[str]:
    """Yield the lines. Hashes of code are only counted; `--json` prints them."""
    yield f"model {lineage.sha256}"
    yield from _row("lies in", ", ".join(lineage.files))
    if lineage.card:
        yield from _row("parameters", lineage.card["params_sha256"])
        yield from _row("data", lineage.card["data"]["title"])
        for split, digest in lineage.card["data"]["sha256"].items():
            yield from _row("", f"{split} {digest}")
    for commit in lineage.commits:
        yield f"commit {commit.id}"
        yield from _row(commit.date, commit.subject)
    if lineage.stages:
        yield f"dvc.lock of {lineage.locked_in}: MD5 {lineage.md5}"
        yield from _stages(lineage.stages)
    for run in lineage.runs:
        yield f"run {run.run_id} of MLflow: {run.name}, {run.status}"
        for tag, name in TAGS.items():
            yield from _row(name, run.tags.get(tag, ""))
    for version in lineage.versions:
        names = f" ({', '.join(version.aliases)})" if version.aliases else ""
        yield f"version {version.number}{names} of the registry"
        yield from _row("registered", version.commit)
        yield from _row("run", version.run_id)
    if lineage.checks:
        yield "compared"
    for check in lineage.checks:
        yield from _row(check.result, f"{check.what}, {check.where}{check.note and f': {check.note}'}")
    if lineage.missing:
        yield "not found"
    for part, text in lineage.missing.items():
        yield from _row(part, text)


def _stages(stages: Sequence[Stage]) -> Iterator[str]:
    """Yield the lines of the stages. A parameter or hash is printed only once."""
    shown: set[str] = set()
    code = sources(stages)
    for stage in stages:
        yield f"  {stage.name}: {stage.cmd}"
        params = [f"{key}={json.dumps(value)}" for key, value in stage.params.items()]
        yield from _row("params", " ".join(text for text in params if text not in shown))
        yield from _row("code", f"{len(code & stage.deps.keys())} paths")
        data = {path: md5 for path, md5 in stage.deps.items() if path not in code}
        yield from _row("took", " ".join(path for path in data if path in shown))
        for name, hashes in (("took", data), ("made", stage.outs)):
            for path, md5 in hashes.items():
                yield from _row(name, "" if path in shown else f"{md5} {path}")
        shown.update(params, data, stage.outs)


def _row(name: str, text: str) -> Sequence[str]:
    return textwrap.wrap(
        text, 120, initial_indent=f"    {name:<13}  ", subsequent_indent=" " * 19,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
