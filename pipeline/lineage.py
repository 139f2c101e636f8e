"""Where a model comes from: its commit, its stages in dvc.lock, its run in MLflow, its version in the registry.

python -m pipeline.lineage models/digits.onnx       a model file, wherever it lies
python -m pipeline.lineage 648eb4ae1781             its SHA-256 or the first digits: an answer's model version
python -m pipeline.lineage http://127.0.0.1:8000    the model that a running service answers with

With --json as JSON. Ends with 1 if nothing is known of how the model was made. Nothing is written anywhere.
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
from pipeline.provenance.checks import of_commit, of_head, of_lock, of_run
from pipeline.provenance.dvc_lock import stages_to
from pipeline.provenance.git import content
from pipeline.provenance.search import MODEL, Missing, Search, sha256_of
from pipeline.provenance.text import TREE, Lineage, describe
from pipeline.registry import store
from pipeline.registry.store import Version

LEAST_DIGITS = 4  # of a SHA-256
PATIENCE_S = 10  # what a service may take


class LineageError(InklingError):
    """What was asked for names no model, or several, or none that is known."""


def trace(asked: str, directory: Path = ROOT) -> Lineage:
    """The lineage of a model.

    Args:
        asked: a file, a SHA-256 or its first digits, or the address of a service.
        directory: of the project.

    Raises:
        LineageError: that names no model, or several, or none that is known here.
        DataError: it is no model file, or a dvc.lock can't be read.
    """
    start, file, card = _identify(asked)
    search = Search(start, directory)
    found = search.found | ({start} if file or card else set())
    if len(found) > 1:
        raise LineageError(f"{start} may be {', '.join(sorted(found))}: name more digits")
    if not found:
        raise LineageError(_unknown(start, search))
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
        lineage.missing.append(Missing("MLflow", str(error), "look at its run and version in `make ui`"))
    if file:
        lineage.md5, card = hashlib.md5(file).hexdigest(), _read_card(file, asked)  # noqa: S324 - DVC's
    else:
        lineage.missing.append(
            Missing("file", "its bytes are not here, and dvc.lock names a file by their MD5", "name the file")
        )
    lineage.card = card
    _add_stages(lineage, directory)
    _add_checks(lineage, directory)
    _add_missing(lineage)
    if not lineage.is_known:
        what = f"nothing is known of how it was made; searched: {', '.join(search.searched)}"
        lineage.missing.append(Missing("all", what, "ask where the file comes from"))
    return lineage


def _identify(asked: str) -> tuple[str, bytes, dict[str, Any]]:
    """The SHA-256 or its first digits; the file's bytes, or what a service says of it, where there is one."""
    if asked.startswith(("http://", "https://")):
        card = _ask(asked)
        return card.pop("sha256"), b"", card
    if Path(asked).is_file():
        file = Path(asked).read_bytes()
        return sha256_of(file), file, {}
    if not re.fullmatch(f"[0-9a-f]{{{LEAST_DIGITS},64}}", asked.lower()):
        what = f"{asked!r} is no file, no http address, and no SHA-256"
        raise LineageError(f"{what}: name a model file, or {LEAST_DIGITS} to 64 hex digits")
    return asked.lower(), b"", {}


def _ask(address: str) -> dict[str, Any]:
    url = f"{address.rstrip('/').removesuffix('/api/model')}/api/model"
    try:
        answer = requests.get(url, timeout=PATIENCE_S)
        answer.raise_for_status()
        card = answer.json()
        told = {name: card[name] for name in ("sha256", "params_sha256", "data", "metrics")}
        return told | {"parameters": card.get("parameters", {})}
    except (requests.ConnectionError, requests.Timeout) as error:  # whose own text is of classes and pools
        raise LineageError(f"no service answers at {url}: start it (`make serve`), or name another address") from error
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise LineageError(f"{url} tells of no model ({error}): is it the address of `make serve`?") from error


def _read_card(file: bytes, name: str) -> dict[str, Any]:
    try:
        metadata = {entry.key: entry.value for entry in onnx.load_model_from_string(file).metadata_props}
        # Early files have only the hash of the parameters.
        told = {key: json.loads(({"parameters": "{}"} | metadata)[key]) for key in ("parameters", "data", "metrics")}
        return {"params_sha256": metadata["params_sha256"]} | told
    except Exception as error:  # protobuf's own has no type
        raise DataError(f"{name} is not a model file that `export` wrote ({error!r}): name another") from error


def _add_runs(lineage: Lineage) -> None:
    """The runs of its versions, too: a run that exports again forgets the file before."""
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
    """The stages of the first commit whose dvc.lock leads to these bytes; else those of the working tree."""
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
        lineage.checks += of_lock(lineage.card, "dvc.lock here", lineage.stages, directory)
    elif lineage.stages:
        lineage.checks += of_commit(lineage.card, lineage.locked_in, lineage.stages, directory)
    if lineage.commits:
        head = content(f"HEAD:./{MODEL}", directory)
        lineage.in_head = head is not None and sha256_of(head) == lineage.sha256
    if lineage.in_head and lineage.stages:
        lineage.checks.append(of_head(lineage.md5, lineage.stages, directory))
    for run in lineage.runs:
        lineage.checks += of_run(lineage.card, run)


def _add_missing(lineage: Lineage) -> None:
    if not lineage.commits:
        do = "commit it, if it was made here; else fetch the branch or the experiment that made it (`dvc exp pull`)"
        lineage.missing.append(Missing("git", f"no commit has these bytes as {MODEL}", do))
    if lineage.md5 and not lineage.stages:
        do = "of a model from MLflow, the run says what it was made from"
        lineage.missing.append(Missing("dvc.lock", "neither such a commit's nor the one here leads to it", do))
    if not any(one.part == "MLflow" for one in lineage.missing):
        if not lineage.runs:
            do = "`python -m pipeline.replay`, if it was made here, or MLFLOW_TRACKING_URI of where it was"
            lineage.missing.append(Missing("MLflow", f"no run at {lineage.store} exported it", do))
        if not lineage.versions:
            do = "`python -m pipeline.register`, if it is to be served by name"
            lineage.missing.append(Missing("registry", "it has no version of it", do))


def _unknown(start: str, search: Search) -> str:
    gone = "".join(f"; {one.part}: {one.what}" for one in search.missing)
    return f"nothing is known of how a model {start} was made; searched: {', '.join(search.searched)}{gone}"


def main(arguments: Sequence[str]) -> None:
    """The command line."""
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
