"""Describe how a model was built, as SLSA provenance v1. `pipeline.sign` signs it, and `pipeline.lineage` checks it."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.provenance.commits import contents
from pipeline.provenance.dvc_lock import Stage

BUILD_TYPE = "urn:inkling:dvc-repro:1"
FILES = ("dvc.lock", "requirements/all.txt")


def provenance(card: Mapping[str, Any], commit: str, stages: Sequence[Stage], directory: Path) -> dict[str, Any]:
    """Return the provenance of a model: https://slsa.dev/spec/v1.0/provenance.

    Args:
        card: metadata of the model file.
        commit: the commit whose dvc.lock has the stages.
        stages: those that made the file.
        directory: the project, in git.
    """
    builder = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    return {
        "buildDefinition": build_definition(card, commit, stages, directory),
        "runDetails": {"builder": {"id": "urn:inkling:pipeline.sign", "version": builder}},
    }


def build_definition(card: Mapping[str, Any], commit: str, stages: Sequence[Stage], directory: Path) -> dict[str, Any]:
    """Return the part of the provenance that follows from a commit and the model file."""
    files = zip(FILES, contents([f"{commit}:./{file}" for file in FILES], directory), strict=True)
    data = {path: md5 for stage in stages for path, md5 in stage.outs.items() if path.startswith("data/")}
    digests = [
        ("code", "gitCommit", commit),
        *((path, "sha256", hashlib.sha256(content).hexdigest()) for path, content in files if content is not None),
        *((path, "dvcMd5", md5) for path, md5 in data.items()),
        *((f"data/prepared, {split}", "sha256", digest) for split, digest in card["data"]["sha256"].items()),
    ]
    return {
        "buildType": BUILD_TYPE,
        "externalParameters": {key: value for stage in stages for key, value in stage.params.items()},
        "internalParameters": {stage.name: stage.cmd for stage in stages},
        "resolvedDependencies": [{"name": name, "digest": {kind: digest}} for name, kind, digest in digests],
    }
