"""Compare the metadata of a model file with git, dvc.lock and MLflow."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.provenance.commits import contents, directory_md5
from pipeline.provenance.dvc_lock import (
    Stage,
    broken_links,
    differing_params,
    dotted,
    read_yaml,
    sources,
    stages_to,
)
from pipeline.registry.store import Trial
from pipeline.tracking.runs import DATA_TAG

AGREES, DIFFERS, SKIPPED = "agrees", "differs", "not compared"
CARD = "data/prepared/card.json"  # made by `prepare`; not in git
N_SHOWN = 5  # names of what differs


@dataclass(frozen=True)
class Check:
    """One comparison.

    Attributes:
        what: of the model file.
        where: what it was compared with.
        result: `AGREES`, `DIFFERS` or `SKIPPED`.
        note: what differs, or why it was not compared and what to do.
    """

    what: str
    where: str
    result: str
    note: str = ""


def compare_commit(card: Mapping[str, Any], name: str, stages: Sequence[Stage], directory: Path) -> Iterator[Check]:
    """Compare a model with the commit whose dvc.lock has its stages.

    Args:
        card: `parameters`, `data` and `metrics` of the model file.
        name: of the commit, as git takes it.
        stages: of its dvc.lock.
        directory: of the project.

    Raises:
        GitError: there is no git, or no repository.
    """
    at = f"of {name[:12]}"
    files = ("params.yaml", "docs/model_card.md", "metrics/test.json")
    params, model_card, metrics = contents([f"{name}:./{file}" for file in files], directory)
    yield _compare_parameters(card, f"params.yaml {at}", dict(dotted(read_yaml(params.decode()))) if params else None)
    yield from compare_lock(card, f"dvc.lock {at}", stages, directory)
    missing = [split for split, digest in card["data"]["sha256"].items() if digest.encode() not in (model_card or b"")]
    yield _check("data", f"docs/model_card.md {at}", not missing if model_card else None, ", ".join(missing))
    yield _check("metrics", f"metrics/test.json {at}", json.loads(metrics) == card["metrics"] if metrics else None)
    n_files, others = _compare_files(name, stages, directory)
    yield _check(
        f"{n_files} paths of code and results", f"dvc.lock {at}", not others if n_files else None, _shorten(others)
    )


def compare_lock(card: Mapping[str, Any], where: str, stages: Sequence[Stage], directory: Path) -> Iterator[Check]:
    """Compare a model with its stages in a dvc.lock.

    Args:
        card: `parameters` and `data` of the model file.
        where: the dvc.lock lies, in words.
        stages: of it.
        directory: of the project.
    """
    yield _compare_parameters(card, where, stages[-1].params)
    problems = [*broken_links(stages), *differing_params(stages)]
    yield _check("stages", where, not problems, "; ".join(problems))
    md5 = next((stage.deps[CARD] for stage in reversed(stages) if CARD in stage.deps), "")
    place = f"{CARD} as in {where}"
    prepared = [directory / CARD, directory / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]]
    texts = [file.read_bytes() for file in prepared if file.is_file()]
    found = next((text for text in texts if hashlib.md5(text).hexdigest() == md5), None)  # noqa: S324 - DVC's
    if found:
        yield _check("data", place, json.loads(found)["sha256"] == card["data"]["sha256"])
    else:
        note = f"its MD5 is {md5}, and it is not here: `dvc repro prepare` in that commit makes it"
        yield Check("data", place, SKIPPED, note if md5 else "no stage names it")


def compare_head(md5: str, stages: Sequence[Stage], directory: Path) -> Check:
    """Check that the stages of HEAD still make a model, from the files and values of HEAD.

    Args:
        md5: of the model file.
        stages: that made it.
        directory: of the project.

    Raises:
        GitError: there is no git, or no repository.
    """
    where = "dvc.lock of HEAD"
    lock, text = contents(["HEAD:./dvc.lock", "HEAD:./params.yaml"], directory)
    if not (present := stages_to(lock.decode(), md5) if lock else []):
        return Check("bytes", where, DIFFERS, "no stage of it made them")
    before = {path: md5 for stage in stages for path, md5 in stage.deps.items()}
    changed = sorted({path for stage in present for path, now in stage.deps.items() if before.get(path) != now})
    notes = [f"made again since, with another {_shorten(changed)}"] if changed else []
    params = dict(dotted(read_yaml(text.decode()))) if text else {}
    values = differing_params([*present, Stage("params.yaml", "", params, {}, {})])
    if others := [*values, *_compare_files("HEAD", present, directory)[1]]:
        notes.append(f"HEAD differs in {_shorten(others)}: `dvc repro` makes them again")
    return Check("bytes", where, DIFFERS if others else AGREES, "; ".join(notes))


def compare_run(card: Mapping[str, Any], run: Trial) -> Iterator[Check]:
    """Compare a model with a run that exported it."""
    where, data = f"run {run.run_id}", run.tags.get(DATA_TAG)
    yield _compare_parameters(card, where, run.values if run.parameters else None)
    yield _check("data", where, json.loads(data) == card["data"]["sha256"] if data else None)


def _compare_files(name: str, stages: Sequence[Stage], directory: Path) -> tuple[int, list[str]]:
    """Compare the files and directories of stages with those of a commit.

    Data, weights and other files that are not in git are left out; missing code was never committed.

    Returns:
        The number of compared paths, and those that differ.
    """
    hashes: dict[str, set[str]] = {}  # several, if a file changed between two stages
    for stage in stages:
        for path, md5 in [*stage.deps.items(), *stage.outs.items()]:
            hashes.setdefault(path, set()).add(md5)
    found = dict(zip(hashes, contents([f"{name}:./{path}" for path in hashes], directory), strict=True))
    committed = {path: hashlib.md5(file).hexdigest() for path, file in found.items() if file is not None}  # noqa: S324
    in_git = sources(stages)
    for path in in_git - committed.keys():
        if any(md5.endswith(".dir") for md5 in hashes[path]) and (found_md5 := directory_md5(name, path, directory)):
            committed[path] = found_md5
    absent = [path for path in hashes if path not in committed and path in in_git]
    others = [path for path, md5 in committed.items() if hashes[path] != {md5}]
    return len(committed) + len(absent), [*others, *(f"{path} (not in the commit)" for path in absent)]


def _compare_parameters(card: Mapping[str, Any], where: str, values: Mapping[str, Any] | None) -> Check:
    """Compare by dotted key: the SHA-256 of the parameters leaves out `runtime.mode`."""
    own = dict(dotted(card["parameters"]))
    if values is None:
        return _check("parameters", where, None)
    # A missing key is not a null.
    others = [key for key in {**own, **values} if key not in own or key not in values or own[key] != values[key]]
    return _check("parameters", where, not others, _shorten(others))


def _check(what: str, where: str, is_equal: bool | None, note: str = "") -> Check:
    if is_equal is None:
        return Check(what, where, SKIPPED, "it is not there")
    return Check(what, where, AGREES) if is_equal else Check(what, where, DIFFERS, note)


def _shorten(names: Sequence[str]) -> str:
    n_more = len(names) - N_SHOWN
    return ", ".join(names[:N_SHOWN]) + (f" and {n_more} more" if n_more > 0 else "")
