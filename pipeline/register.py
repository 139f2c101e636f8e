"""Add the reproduced model to the MLflow registry.

python -m pipeline.register

models/digits.onnx becomes a version with the alias `challenger`, and also `champion` if it passes every gate. The
results of the gates are printed, and stored as tags of the version. So is the signature beside the file, if it is
signed; `python -m pipeline.fetch` writes it again.
"""

import argparse
import sys
import tempfile
from math import nan
from pathlib import Path

from pipeline.base.errors import InklingError, PromotionError
from pipeline.base.files import file_sha256
from pipeline.base.paths import ROOT, Outputs
from pipeline.config.values import load_config
from pipeline.dataset.splits import load_card, load_split
from pipeline.registry import store
from pipeline.registry.gates import Gate, absolute_gates, find_correct, latency_ratio, load_limits, relative_gates
from pipeline.registry.store import CHAMPION, Trial, Version
from pipeline.reproduce import changed_stages
from pipeline.tracking.git import GitError, git
from serving.errors import ModelError
from serving.model.predictor import Predictor
from serving.signature import SignatureError, read_bundle, signature_of


def register() -> None:
    """Register the model file, and make it champion if it passes the gates.

    Raises:
        PromotionError: the file is not the result of a commit, or it fails a gate.
    """
    commit = require_commit()
    file = Outputs().model
    signature = read_signature(file)
    export = store.find_export(file_sha256(file))
    champion = store.versions().get(CHAMPION)
    version = store.add_version(export)
    if signature:
        store.tag_version(version, {store.SIGNATURE_TAG: signature})
    print(f"version {version.number}, {version.sha256[:12]}, is the challenger")
    if champion == version:
        print("it is the champion already")
        return
    gates = measure(file, export, champion)
    for gate in gates:
        print(f"  {gate.name:<18} {gate}")
    compared = f"version {champion.number}" if champion else "none"
    tags = {f"gate.{gate.name}": str(gate) for gate in gates} | {"champion": compared, "git_commit": commit}
    failed = [gate.name for gate in gates if not gate.passes]
    store.tag_version(version, tags, is_champion=not failed)
    if failed:
        stays = f"{compared} stays champion" if champion else "there is no champion yet"
        raise PromotionError(f"version {version.number} fails {', '.join(failed)}: {stays}")
    print(f"version {version.number} is the champion: make serve MODEL={CHAMPION}")


def measure(file: Path, export: Trial, champion: Version | None) -> list[Gate]:
    """Evaluate the absolute gates and, if there is a champion, the relative ones."""
    limits, validation, parts = load_limits(), load_split("validation"), load_card().parts["validation"]
    challenger = Predictor.load(file)
    right = find_correct(challenger, validation, parts)
    difference, tolerance = export.metrics.get("parity_difference", nan), load_config().export.parity_tolerance
    parity = Gate("parity", difference, tolerance, False, "largest difference of a probability")
    gates = [*absolute_gates(right, challenger.card.size_bytes, limits), parity]
    if champion:
        with tempfile.NamedTemporaryFile(suffix=".onnx") as fetched:
            Path(fetched.name).write_bytes(store.read_model(champion))
            present = Predictor.load(Path(fetched.name))
        sha256, other = ((one.card.data or {}).get("sha256", {}).get("validation") for one in (challenger, present))
        champions = find_correct(present, validation, parts) if sha256 == other else None
        gates += relative_gates(right, champions, latency_ratio(challenger, present), limits)
    return gates


def read_signature(file: Path) -> str:
    """Return the signature beside a model file, or an empty text if there is none.

    Raises:
        PromotionError: it is damaged, or that of another file.
    """
    signature = signature_of(file)
    try:
        text = signature.read_text()
        (resource,) = read_bundle(text.encode())[1].resources
        if resource.digest == file_sha256(file):
            return text
        reason = "it is that of another file"
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, SignatureError) as error:
        reason = str(error)
    raise PromotionError(f"{signature} can't be used ({reason}): sign the model again, or remove it")


def require_commit() -> str:
    """Return HEAD, the commit that reproduces the model file.

    Raises:
        PromotionError: something is not committed or not reproduced.
    """
    try:
        head, changes = (
            git(ROOT, *words.split()).decode().rstrip() for words in ("rev-parse HEAD", "status --porcelain")
        )
    except GitError as error:
        raise PromotionError(f"only a commit can be registered, and {error}") from error
    if changes:
        raise PromotionError(f"the git tree has changes; commit or remove them, then register:\n{changes}")
    if stages := changed_stages():
        raise PromotionError(f"`dvc status` is not clean ({', '.join(stages)}): `dvc repro`, commit, then register")
    return head


if __name__ == "__main__":
    argparse.ArgumentParser(usage=__doc__).parse_args()
    try:
        register()
    except (InklingError, ModelError) as error:
        sys.exit(f"error: {error}")
