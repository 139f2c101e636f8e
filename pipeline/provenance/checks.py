"""Compare the metadata of a model file with git, dvc.lock and MLflow."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config.values import dotted
from pipeline.provenance.commits import contents, directory_md5
from pipeline.provenance.dvc_lock import Stage, conflicts, read_yaml, sources, stages_to
from pipeline.provenance.statement import build_definition
from pipeline.registry.store import Trial
from pipeline.tracking.runs import DATA_TAG

AGREES, DIFFERS, SKIPPED = "agrees", "differs", "not compared"


@dataclass(frozen=True)
class Check:
    """The result of one comparison."""

    what: str  # the compared metadata of the model file
    where: str  # the place whose values it was compared with
    result: str
    note: str = ""  # what differs, or why it was not compared


def compare_commit(card: Mapping[str, Any], name: str, stages: Sequence[Stage], directory: Path) -> Iterator[Check]:
    """Compare the metadata of a model with the commit whose dvc.lock has its stages."""
    at, sha256 = f"of {name[:12]}", card["data"]["sha256"]
    files = ("params.yaml", "docs/model_card.md", "metrics/test.json")
    params, model_card, metrics = contents([f"{name}:./{file}" for file in files], directory)
    yield _compare("parameters", f"params.yaml {at}", card["parameters"], params and read_yaml(params.decode()))
    yield from compare_lock(card, f"dvc.lock {at}", stages)
    named = {split: digest for split, digest in sha256.items() if digest.encode() in (model_card or b"")}
    yield _compare("data", f"docs/model_card.md {at}", sha256, model_card and named)
    yield _compare("metrics", f"metrics/test.json {at}", card["metrics"], metrics and json.loads(metrics))
    locked, committed = _hashes(name, stages, directory)
    yield _compare(f"{len(locked)} paths of code and results", f"dvc.lock {at}", locked, committed)


def compare_lock(card: Mapping[str, Any], where: str, stages: Sequence[Stage]) -> Iterator[Check]:
    """Compare the parameters with those of the last stage, and the inputs of each stage with earlier stages."""
    yield _compare("parameters", where, card["parameters"], stages[-1].params)
    problems = conflicts(stages)
    yield Check("stages", where, DIFFERS if problems else AGREES, "; ".join(problems))


def compare_run(card: Mapping[str, Any], run: Trial) -> Iterator[Check]:
    """Compare a model with a run that exported it."""
    where = f"run {run.run_id}"
    yield _compare("parameters", where, card["parameters"], run.parameters and run.values)
    yield _compare("data", where, card["data"]["sha256"], json.loads(run.tags.get(DATA_TAG, "null")))


def compare_statement(card: Mapping[str, Any], md5: str, provenance: Mapping[str, Any], directory: Path) -> Check:
    """Compare a signed provenance with the commit that it names."""
    build = provenance.get("buildDefinition", {})
    digests = {one["name"]: one["digest"] for one in build.get("resolvedDependencies", ())}
    commit = digests.get("code", {}).get("gitCommit", "unknown")
    (lock,) = contents([f"{commit}:./dvc.lock"], directory)
    stages = stages_to(lock.decode(), md5) if lock else []
    built = stages and build_definition(card, commit, stages, directory)
    return _compare("statement", f"dvc.lock of {commit[:12]}", build, built)


def _hashes(name: str, stages: Sequence[Stage], directory: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the MD5 of code and results in dvc.lock and in a commit. Data and weights are not in git."""
    locked = {path: md5 for stage in stages for path, md5 in [*stage.deps.items(), *stage.outs.items()]}
    files = zip(locked, contents([f"{name}:./{path}" for path in locked], directory), strict=True)
    committed = {path: hashlib.md5(file).hexdigest() for path, file in files if file is not None}  # noqa: S324 - DVC's
    code = sources(stages)
    for path in code - committed.keys():
        if md5 := directory_md5(name, path, directory):
            committed[path] = md5
    return {path: md5 for path, md5 in locked.items() if path in code or path in committed}, committed


def _compare(what: str, where: str, own: Mapping[str, Any], found: Any) -> Check:
    """Compare values by dotted key. A missing key and a null are different."""
    if not found:
        return Check(what, where, SKIPPED, "it is not there")
    left, right = dict(dotted(own)), dict(dotted(found))
    keys = [key for key in left | right if key not in left or key not in right or left[key] != right[key]]
    return Check(what, where, DIFFERS if keys else AGREES, ", ".join(keys))
