"""The reproduced model, into MLflow's registry.

python -m pipeline.register

models/digits.onnx becomes a version with the alias `challenger`. The alias `champion` moves to it only when every gate
holds; what each found is printed, and kept as tags of the version.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline.base.errors import InklingError, PromotionError
from pipeline.base.files import file_sha256
from pipeline.base.paths import ROOT, Outputs
from pipeline.config.values import load_config
from pipeline.dataset.splits import load_card, load_split
from pipeline.registry import store
from pipeline.registry.gates import (
    Gate,
    absolute_gates,
    is_comparable,
    latency_ratio,
    load_limits,
    read_right,
    relative_gates,
)
from pipeline.registry.store import CHAMPION, Trial, Version
from pipeline.reproduce import changed_stages
from serving.errors import ModelError
from serving.model.predictor import Predictor


def register() -> None:
    """Register the model file, and make it champion if it may be.

    Raises:
        PromotionError: what is committed does not make this file, or a gate does not hold; says which.
    """
    commit = committed()
    file = Outputs().model
    export = store.find_export(file_sha256(file))
    champion = store.versions().get(CHAMPION)
    version = store.add_version(export)
    print(f"version {version.number}, {version.sha256[:12]}, is the challenger")
    if champion == version:
        print("it is the champion already")
        return
    gates = measure(file, export, champion)
    for gate in gates:
        print(f"  {gate.name:<18} {gate}")
    compared = f"version {champion.number}" if champion else "none"
    store.tag_version(
        version, {f"gate.{gate.name}": str(gate) for gate in gates} | {"champion": compared, "git_commit": commit}
    )
    failed = [gate.name for gate in gates if not gate.holds]
    if failed:
        stays = f"{compared} stays champion" if champion else "there is no champion yet"
        raise PromotionError(f"version {version.number} does not hold {', '.join(failed)}: {stays}")
    store.set_champion(version)
    print(f"version {version.number} is the champion: make serve MODEL={CHAMPION}")


def measure(file: Path, export: Trial, champion: Version | None) -> list[Gate]:
    """What the gates find: the absolute ones, and against the champion if there is one.

    Raises:
        ConfigError: conf/gates.yaml can't be read, or a limit makes no sense.
        DataError: the prepared data is missing or damaged.
        RegistryError: MLflow does not give the champion's file.
        ModelError: a file can't be served.
    """
    config, limits = load_config(), load_limits()
    validation, parts = load_split("validation"), load_card().parts["validation"]
    challenger = Predictor.load(file)
    right = read_right(challenger, validation, parts)
    difference = export.metrics.get("parity_difference", float("nan"))
    gates = [
        *absolute_gates(right, challenger.card.size_bytes, limits),
        Gate("parity", difference, config.export.parity_tolerance, False, "largest difference of a probability"),
    ]
    if champion:
        with tempfile.TemporaryDirectory() as directory:
            fetched = Path(directory) / "champion.onnx"
            store.fetch(champion, fetched)
            present = Predictor.load(fetched)
        champions = read_right(present, validation, parts) if is_comparable(challenger, present) else None
        gates += relative_gates(right, champions, latency_ratio(challenger, present), limits)
    return gates


def committed() -> str:
    """The commit that makes the model file.

    Raises:
        PromotionError: there is none; says what is not committed or not reproduced.
    """
    changes = _git("status", "--porcelain")
    if changes:
        raise PromotionError(f"the git tree has changes; commit or remove them, then register:\n{changes}")
    stages = changed_stages()
    if stages:
        raise PromotionError(f"`dvc status` is not clean ({', '.join(stages)}): `dvc repro`, commit, then register")
    return _git("rev-parse", "HEAD")


def _git(*arguments: str) -> str:
    try:
        run = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError as error:
        raise PromotionError(f"git can't be run ({error}), and only a commit is registered") from error
    if run.returncode:
        raise PromotionError(f"only a commit is registered, and git says: {run.stderr.strip()}")
    return run.stdout.rstrip()


if __name__ == "__main__":
    try:
        register()
    except (InklingError, ModelError) as error:
        sys.exit(f"error: {error}")
