"""Show where a model comes from: its commit, its stages in dvc.lock, its run in MLflow, its version in the registry.

python -m pipeline.lineage models/digits.onnx       a model file in any folder
python -m pipeline.lineage 648eb4ae1781             a SHA-256 or its first digits, such as `model_version` of an answer
python -m pipeline.lineage http://127.0.0.1:8000    the model of a running service

--json prints JSON. The exit code is 1 if the origin is unknown. Nothing is written.
"""

import argparse
import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import onnx
import requests

from pipeline.base.errors import DataError, InklingError, RegistryError
from pipeline.base.paths import ROOT
from pipeline.provenance.checks import compare_commit, compare_head, compare_lock, compare_run
from pipeline.provenance.commits import content
from pipeline.provenance.dvc_lock import stages_to
from pipeline.provenance.search import MODEL, Missing, Search, sha256_of
from pipeline.provenance.text import TREE, Lineage, describe
from pipeline.registry import store
from pipeline.registry.store import Version

LEAST_DIGITS = 4  # of a SHA-256
TIMEOUT_S = 10  # of a request to a service


class LineageError(InklingError):
    """The argument names no model, several models, or an unknown one."""


def trace(asked: str, directory: Path = ROOT) -> Lineage:
    """Return the lineage of a model.

    Args:
        asked: a file, a SHA-256 or its first digits, or the address of a service.
        directory: of the project.

    Raises:
        LineageError: it names no model, several models, or an unknown one.
        DataError: it is not a model file, or a dvc.lock can't be read.
    """
    start, file, card = _identify(asked)
    search = Search(start, directory)
    found = search.found | ({start} if file or card else set())
    if len(found) > 1:
        raise LineageError(f"{start} may be {', '.join(sorted(found))}: give more digits")
    if not found:
        missing = "".join(f"; {one.part}: {one.what}" for one in search.missing)
        searched = ", ".join(search.searched)
        raise LineageError(f"the origin of the model {start} is unknown; searched: {searched}{missing}")
    (sha256,) = found
    versions = search.versions.get(sha256, {})
    lineage = Lineage(
        sha256, files=search.files.get(sha256, []), commits=search.commits.get(sha256, []), store=search.store,
        runs=search.runs.get(sha256, []), versions=versions, missing=search.missing,
    )  # fmt: skip
    try:
        _add_runs(lineage)
        file = file or search.content.get(sha256) or _fetch(versions)
    except RegistryError as error:
        lineage.missing.append(Missing("MLflow", str(error), "open its run and version in `make ui`"))
    if file:
        lineage.md5, card = hashlib.md5(file).hexdigest(), _read_card(file, asked)  # noqa: S324 - DVC's
    else:
        lineage.missing.append(
            Missing("file", "its bytes are not here, and dvc.lock has only their MD5", "name the file")
        )
    lineage.card = card
    _add_stages(lineage, directory)
    _add_checks(lineage, directory)
    _add_missing(lineage)
    if not lineage.is_known:
        what = f"its origin is unknown; searched: {', '.join(search.searched)}"
        lineage.missing.append(Missing("all", what, "ask who made the file"))
    return lineage


def _identify(asked: str) -> tuple[str, bytes, dict[str, Any]]:
    """Return the SHA-256 or its first digits, and the file's bytes or the card of a service if there are any."""
    if asked.startswith(("http://", "https://")):
        card = _ask(asked)
        return card.pop("sha256"), b"", card
    if Path(asked).is_file():
        file = Path(asked).read_bytes()
        return sha256_of(file), file, {}
    if not re.fullmatch(f"[0-9a-f]{{{LEAST_DIGITS},64}}", asked.lower()):
        what = f"{asked!r} is not a file, an HTTP address or a SHA-256"
        raise LineageError(f"{what}: name a model file, or {LEAST_DIGITS} to 64 hex digits")
    return asked.lower(), b"", {}


def _ask(address: str) -> dict[str, Any]:
    url = f"{address.rstrip('/').removesuffix('/api/model')}/api/model"
    try:
        answer = requests.get(url, timeout=TIMEOUT_S)
        answer.raise_for_status()
        return _card(answer.json()) | {"sha256": str(answer.json()["sha256"])}
    except (requests.ConnectionError, requests.Timeout) as error:  # whose text names classes and pools
        raise LineageError(f"no service answers at {url}: start it (`make serve`), or name another address") from error
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise LineageError(f"{url} names no model ({error}): is it the address of `make serve`?") from error


def _read_card(file: bytes, name: str) -> dict[str, Any]:
    try:
        metadata = {entry.key: entry.value for entry in onnx.load_model_from_string(file).metadata_props}
        read = {key: json.loads(metadata[key]) for key in ("parameters", "data", "metrics")}
        return _card(metadata | read)
    except Exception as error:  # protobuf's own error has no public type
        raise DataError(f"{name} is not a model file that `export` wrote ({error!r}): name another") from error


def _card(values: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata that is compared."""
    if absent := {"title", "sha256"} - values["data"].keys():
        raise KeyError(*absent)
    return {name: values[name] for name in ("params_sha256", "parameters", "data", "metrics")}


def _add_runs(lineage: Lineage) -> None:
    """Add the runs of its versions: a run that exports again loses its tag of the previous file."""
    known = {run.run_id for run in lineage.runs}
    for version in lineage.versions:
        if version.run_id and version.run_id not in known:
            lineage.runs.append(store.load_trial(version.run_id))


def _fetch(versions: Iterable[Version]) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        for version in versions:
            file = Path(directory) / "model.onnx"
            store.fetch(version, file)
            return file.read_bytes()
    return b""


def _add_stages(lineage: Lineage, directory: Path) -> None:
    """Add the stages of the first commit whose dvc.lock has these bytes, otherwise those of the working tree."""
    locks = [(commit.id, content(f"{commit.id}:./dvc.lock", directory)) for commit in lineage.commits]
    if (file := directory / "dvc.lock").exists():
        locks.append((TREE, file.read_bytes()))
    for name, lock in locks:
        if lock and lineage.md5 and (stages := stages_to(lock.decode(), lineage.md5)):
            lineage.locked_in, lineage.stages = name, stages
            return


def _add_checks(lineage: Lineage, directory: Path) -> None:
    if not lineage.card:
        return
    if lineage.locked_in == TREE:
        lineage.checks += compare_lock(lineage.card, "dvc.lock here", lineage.stages, directory)
    elif lineage.stages:
        lineage.checks += compare_commit(lineage.card, lineage.locked_in, lineage.stages, directory)
    if lineage.commits:
        head = content(f"HEAD:./{MODEL}", directory)
        lineage.in_head = head is not None and sha256_of(head) == lineage.sha256
    if lineage.in_head and lineage.stages:
        lineage.checks.append(compare_head(lineage.md5, lineage.stages, directory))
    for run in lineage.runs:
        lineage.checks += compare_run(lineage.card, run)


def _add_missing(lineage: Lineage) -> None:
    if not lineage.commits:
        do = "if it was made here, commit it; otherwise fetch its branch or experiment (`dvc exp pull`)"
        lineage.missing.append(Missing("git", f"no commit has these bytes as {MODEL}", do))
    if lineage.md5 and not lineage.stages:
        do = "for a model from MLflow, see its run"
        lineage.missing.append(Missing("dvc.lock", "no dvc.lock of its commits or of the working tree has it", do))
    if not any(one.part == "MLflow" for one in lineage.missing):
        if not lineage.runs:
            do = "if it was made here, run `python -m pipeline.replay`; otherwise set MLFLOW_TRACKING_URI to its store"
            lineage.missing.append(Missing("MLflow", f"no run at {lineage.store} exported it", do))
        if not lineage.versions:
            do = "to serve it by name, run `python -m pipeline.register`"
            lineage.missing.append(Missing("registry", "no version has these bytes", do))


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        "python -m pipeline.lineage", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="a model file, 4 to 64 digits of its SHA-256, or the address of a service")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    try:
        lineage = trace(options.model)
    except InklingError as error:
        sys.exit(f"error: {error}")
    print(json.dumps(lineage.as_dict(), indent=2) if options.json else describe(lineage))
    if not lineage.is_known:
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
