"""Whether what a model file says of itself is what git, dvc.lock and MLflow say."""

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from pipeline.base.errors import ConfigError
from pipeline.config.values import check, params_sha256
from pipeline.provenance.dvc_lock import (
    Stage,
    broken_links,
    differing_params,
    dotted,
    read_yaml,
    sources,
    stages_to,
)
from pipeline.provenance.git import contents, directory_md5
from pipeline.registry.store import Trial
from pipeline.tracking.runs import DATA_TAG

AGREES, DIFFERS, SKIPPED = "agrees", "differs", "not compared"
CARD = "data/prepared/card.json"  # made by `prepare`; not in git
SHOWN = 5  # paths that differ, by name


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


def of_commit(card: Mapping[str, Any], name: str, stages: Sequence[Stage], directory: Path) -> Iterator[Check]:
    """A model against the commit whose dvc.lock leads to it.

    Args:
        card: what the file says: `params_sha256`, `parameters`, `data` and `metrics`.
        name: of the commit, as git takes it.
        stages: of its dvc.lock.
        directory: of the project.

    Raises:
        GitError: there is no git, or no repository.
    """
    at = f"of {name[:12]}"
    files = ("params.yaml", "docs/model_card.md", "metrics/test.json")
    text, model_card, metrics = contents([f"{name}:./{file}" for file in files], directory)
    params = read_yaml(text.decode()) if text else None
    yield _parameters(card, f"params.yaml {at}", params)
    yield from of_lock(card, f"dvc.lock {at}", stages, directory, params)
    digests = card["data"].get("sha256", {})
    missing = [split for split, digest in digests.items() if digest.encode() not in (model_card or b"")]
    yield _digests(card, f"docs/model_card.md {at}", None if model_card is None else not missing, ", ".join(missing))
    yield _equal("metrics", f"metrics/test.json {at}", None if not metrics else json.loads(metrics) == card["metrics"])
    n_files, others = _compare_files(name, stages, directory)
    is_equal = not others if n_files else None
    yield _equal(f"{n_files} paths of code and results", f"dvc.lock {at}", is_equal, _named(others))


def of_lock(
    card: Mapping[str, Any],
    where: str,
    stages: Sequence[Stage],
    directory: Path,
    params: Mapping[str, Any] | None = None,
) -> Iterator[Check]:
    """A model against the stages that lead to it; see `of_commit`.

    Args:
        card: what the file says.
        where: the dvc.lock lies, in words.
        stages: of it.
        directory: of the project.
        params: of the same commit's params.yaml: dvc.lock has lost the order that early code hashed them in.
    """
    values: dict[str, Any] = {}
    for key, value in stages[-1].params.items():
        _put(values, key, value)
    yield _parameters(card, where, params if values == params else values)
    apart = [*broken_links(stages), *differing_params(stages)]
    yield _equal("stages", where, not apart, "; ".join(apart))
    md5 = next((stage.deps[CARD] for stage in reversed(stages) if CARD in stage.deps), "")
    place = f"{CARD} as in {where}"
    prepared = [directory / CARD, directory / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]]
    texts = [file.read_bytes() for file in prepared if file.is_file()]
    kept = next((text for text in texts if hashlib.md5(text).hexdigest() == md5), None)  # noqa: S324 - DVC's
    if kept:
        yield _digests(card, place, json.loads(kept)["sha256"] == card["data"].get("sha256"))
    else:
        note = f"its MD5 is {md5}, and it is not here: `dvc repro prepare` in that commit makes it"
        yield Check("data", place, SKIPPED, note if md5 else "no stage names it")


def of_head(md5: str, stages: Sequence[Stage], directory: Path) -> Check:
    """Whether the stages of the commit that is checked out lead to the same bytes, and its files are what they took.

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
    notes = [f"made anew since, with another {_named(changed)}"] if changed else []
    _, others = _compare_files("HEAD", present, directory)
    params = read_yaml(text.decode()) if text else {}
    values = differing_params([*present, Stage("params.yaml", "", dict(dotted(params)), list(params), {}, {})])
    if others := [*values, *others]:
        notes.append(f"HEAD differs in {_named(others)}: `dvc repro` makes them anew")
    return Check("bytes", where, DIFFERS if others else AGREES, "; ".join(notes))


def _compare_files(name: str, stages: Sequence[Stage], directory: Path) -> tuple[int, list[str]]:
    """The files and directories of stages against those of a commit.

    Data, weights and what else is not in git can't be compared; code that is not was never committed.

    Returns:
        How many were compared, and those that differ.
    """
    hashes: dict[str, set[str]] = {}  # of a file that changed between two stages, several
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


def of_run(card: Mapping[str, Any], run: Trial) -> Iterator[Check]:
    """A model against a run that exported it."""
    where = f"run {run.run_id}"
    exported = {key: value for key, value in run.tags.items() if key.startswith("export.")}
    values: dict[str, Any] = {}
    for key, text in (run.parameters | exported).items():
        try:
            _put(values, key, ast.literal_eval(text))
        except (ValueError, SyntaxError):  # a text
            _put(values, key, text)
    yield _parameters(card, where, values if run.parameters else None)
    told = run.tags.get(DATA_TAG)
    yield _digests(card, where, None if not told else json.loads(told) == card["data"].get("sha256"))


def _put(values: dict[str, Any], key: str, value: object) -> None:
    *sections, name = key.split(".")
    for section in sections:
        values = values.setdefault(section, {})
    values[name] = value


def _parameters(card: Mapping[str, Any], where: str, values: Mapping[str, Any] | None) -> Check:
    if values is None:
        return _equal("parameters", where, None)
    # Key by key, where the file has them: the hash leaves out `runtime.mode`.
    told, found = dict(dotted(card.get("parameters") or {})), dict(dotted(values))
    if others := [key for key in {**told, **found} if told and told.get(key) != found.get(key)]:
        return Check("parameters", where, DIFFERS, _named(others))
    # As the text stands, which is what earlier code hashed; and as today's does.
    hashes = [hashlib.sha256(OmegaConf.to_yaml(OmegaConf.create(dict(values))).encode()).hexdigest()]
    note = ""
    try:
        early = {"runtime": {"mode": "fast"}}  # where it is not given: any will do
        hashes.append(params_sha256(check(DictConfig(OmegaConf.merge(early, dict(values))))))
    except ConfigError as error:
        note = f"today's code does not read them ({str(error).splitlines()[0]}): look with that commit's"
    if card["params_sha256"] in hashes or (told and note):
        return Check("parameters", where, AGREES)
    return Check("parameters", where, SKIPPED, note) if note else Check("parameters", where, DIFFERS, hashes[-1])


def _digests(card: Mapping[str, Any], where: str, is_equal: bool | None, note: str = "") -> Check:
    if not card["data"].get("sha256"):
        return Check("data", where, SKIPPED, "the file tells no digests")
    return _equal("data", where, is_equal, note)


def _equal(what: str, where: str, is_equal: bool | None, note: str = "") -> Check:
    if is_equal is None:
        return Check(what, where, SKIPPED, "it is not there")
    return Check(what, where, AGREES) if is_equal else Check(what, where, DIFFERS, note)


def _named(paths: Sequence[str]) -> str:
    further = len(paths) - SHOWN
    return ", ".join(paths[:SHOWN]) + (f" and {further} more" if further > 0 else "")
