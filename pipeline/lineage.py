"""Show where a model comes from: its commit, its stages in dvc.lock, its run in MLflow, its version in the registry.

python -m pipeline.lineage models/digits.onnx       a model file in any folder
python -m pipeline.lineage 648eb4ae1781             a SHA-256 or its first digits, such as an answer's `model_version`
python -m pipeline.lineage http://127.0.0.1:8000    the model of a running service

--json prints JSON. --verify KEY also checks the signature beside a model file, and its statement, with a public key.
The exit code is 1 if the origin is unknown or, with --verify, if a comparison does not agree. Nothing is written.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import onnx
import requests

from pipeline.base.errors import DataError, InklingError, RegistryError
from pipeline.base.paths import ROOT
from pipeline.provenance.checks import (
    AGREES,
    DIFFERS,
    Check,
    compare_commit,
    compare_lock,
    compare_run,
    compare_statement,
)
from pipeline.provenance.commits import contents
from pipeline.provenance.dvc_lock import stages_to
from pipeline.provenance.search import FETCHED, MODEL, Lineage, search, sha256_of
from pipeline.provenance.text import describe
from pipeline.registry import store
from pipeline.tracking.store import uri
from serving.errors import StartError
from serving.signature import SignatureError, load_key, signature_of

TREE = "the working tree"


class LineageError(InklingError):
    """The argument does not identify exactly one known model."""


def trace(asked: str, directory: Path = ROOT) -> Lineage:
    """Return the lineage of a model. `asked` is a file, a SHA-256 or its first digits, or the address of a service.

    Raises:
        LineageError: `asked` does not identify exactly one known model.
        DataError: the file is not a model file, or a dvc.lock can't be read.
    """
    start, file = _identify(asked)
    found, missing = search(start, directory)
    if file:
        found.setdefault(start, Lineage(start)).content = file
    if len(found) > 1:
        raise LineageError(f"{start} matches several models, {', '.join(sorted(found))}: give more digits")
    if not found:
        reasons = "".join(f"; {part}: {text}" for part, text in missing.items())
        raise LineageError(f"the origin of the model {start} is unknown; {_searched()}{reasons}")
    (lineage,) = found.values()
    lineage.missing = missing
    try:
        for version in lineage.versions:  # a run that exports again loses its tag of the previous file
            if version.run_id not in {"", *(run.run_id for run in lineage.runs)}:
                lineage.runs.append(store.load_trial(version.run_id))
            lineage.content = lineage.content or store.read_model(version)
    except RegistryError as error:
        missing["MLflow"] = f"{error}: open its run and version in `make ui`"
    if lineage.content:
        lineage.card = read_card(lineage.content, asked)
        _add_stages(lineage, directory)
    else:
        missing["file"] = "there is no copy of it here, and dvc.lock has only its MD5: name the file"
    if not lineage.commits:
        do = "commit it, or fetch its branch, its experiment (`dvc exp pull`) or all history (`git fetch --unshallow`)"
        missing.setdefault("git", f"no commit has these bytes as {MODEL}: {do}")
    if not lineage.runs:
        do = "run `python -m pipeline.replay`, or set MLFLOW_TRACKING_URI to its store"
        missing.setdefault("MLflow", f"no run at {uri()} exported it: {do}")
    if not lineage.is_known:
        missing["all"] = f"its origin is unknown; {_searched()}: ask who made the file"
    return lineage


def _searched() -> str:
    return f"searched: {MODEL} in git, {MODEL} and {FETCHED}/*.onnx here, MLflow at {uri()}"


def _identify(asked: str) -> tuple[str, bytes]:
    """Return the SHA-256 or its first digits, and the bytes if a file was named."""
    if asked.startswith(("http://", "https://")):
        return _ask(asked), b""
    if Path(asked).is_file():
        file = Path(asked).read_bytes()
        return sha256_of(file), file
    if not re.fullmatch("[0-9a-f]{4,64}", asked.lower()):
        what = f"{asked!r} is not a file, an HTTP address or a SHA-256"
        raise LineageError(f"{what}: name a model file, or 4 to 64 hex digits")
    return asked.lower(), b""


def _ask(address: str) -> str:
    """Return the SHA-256 of the model of a service."""
    url = f"{address.rstrip('/').removesuffix('/api/model')}/api/model"
    try:
        answer = requests.get(url, timeout=10)
        answer.raise_for_status()
        return str(answer.json()["sha256"])
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        what = f"no service answers at {url} with the model's SHA-256 ({type(error).__name__})"
        raise LineageError(f"{what}: start it (`make serve`), or name another address") from error


def read_card(file: bytes, name: str) -> dict[str, Any]:
    """Return the metadata of a model file that is compared, or raise DataError."""
    try:
        metadata = {entry.key: entry.value for entry in onnx.load_model_from_string(file).metadata_props}
        read = {key: json.loads(metadata[key]) for key in ("parameters", "data", "metrics")}
        return {"params_sha256": metadata["params_sha256"], **read}
    except Exception as error:  # protobuf's own error has no public type
        raise DataError(f"{name} is not a model file that `export` wrote ({error!r}): name another") from error


def _add_stages(lineage: Lineage, directory: Path) -> None:
    """Add and compare the stages of the first commit whose dvc.lock has these bytes, otherwise of the working tree."""
    names = [commit.id for commit in lineage.commits]
    locks = list(zip(names, contents([f"{name}:./dvc.lock" for name in names], directory), strict=True))
    if (file := directory / "dvc.lock").exists():
        locks.append((TREE, file.read_bytes()))
    for name, lock in locks:
        if lock and not lineage.stages and (stages := stages_to(lock.decode(), lineage.md5)):
            lineage.locked_in, lineage.stages = name, stages
    if lineage.locked_in == TREE:
        lineage.checks += compare_lock(lineage.card, "dvc.lock here", lineage.stages)
    elif lineage.stages:
        lineage.checks += compare_commit(lineage.card, lineage.locked_in, lineage.stages, directory)
    for run in lineage.runs:
        lineage.checks += compare_run(lineage.card, run)


def verify(lineage: Lineage, file: Path, key: Path, directory: Path = ROOT) -> None:
    """Add the checks of the signature beside a model file, and of its statement.

    Raises:
        LineageError: there is no such file, or the key can't be used.
    """
    signature = signature_of(file)
    try:
        public = load_key(key)
        if not (public and file.is_file()):
            raise LineageError("a signature lies beside a model file: name the file")
        signed = public.verify(signature.read_bytes(), lineage.content).provenance
    except StartError as error:
        raise LineageError(str(error)) from error
    except (OSError, SignatureError) as error:
        lineage.checks.append(Check("signature", str(signature), DIFFERS, str(error)))
        return
    lineage.checks.append(Check("signature", str(signature), AGREES))
    lineage.checks.append(compare_statement(lineage.card, lineage.md5, signed, directory))


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("model")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--verify", metavar="KEY", type=Path)
    options = parser.parse_args(arguments)
    try:
        lineage = trace(options.model)
        if options.verify:
            verify(lineage, Path(options.model), options.verify)
    except InklingError as error:
        sys.exit(f"error: {error}")
    found = {name: value for name, value in asdict(lineage).items() if name != "content"}
    print(json.dumps(found, indent=2) if options.json else "\n".join(describe(lineage)))
    if not lineage.is_known or (options.verify and any(check.result != AGREES for check in lineage.checks)):
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
