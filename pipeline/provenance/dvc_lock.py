"""Read dvc.lock: the stages that made a file, with their inputs and outputs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from pipeline.base.errors import DataError
from pipeline.config.values import dotted


@dataclass(frozen=True)
class Stage:
    """An entry of dvc.lock."""

    name: str
    cmd: str
    params: dict[str, Any]  # the values that it read, by dotted key
    deps: dict[str, str]  # MD5 of its inputs, by path; of a directory, with ".dir"
    outs: dict[str, str]  # MD5 of its outputs, by path


def stages_to(lock: str, md5: str) -> list[Stage]:
    """Return the stages that made the file with this MD5, in the order in which they ran.

    Raises:
        DataError: the text is not a dvc.lock.
    """
    try:
        stages = [
            Stage(
                name,
                entry["cmd"],
                dict(dotted(entry.get("params", {}).get("params.yaml", {}))),
                {dep["path"]: dep["md5"] for dep in entry.get("deps", [])},
                {out["path"]: out["md5"] for out in entry.get("outs", [])},
            )
            for name, entry in read_yaml(lock)["stages"].items()
        ]
    except (YAMLError, OmegaConfBaseException, AttributeError, KeyError, TypeError) as error:
        raise DataError(f"dvc.lock can't be read ({error!r}): `git log dvc.lock` has earlier ones") from error
    found: dict[str, Stage] = {}

    def follow(stage: Stage) -> None:
        for maker in stages:
            if maker.name not in found and any(_is_made(path, [maker]) for path in stage.deps):
                follow(maker)
        found[stage.name] = stage

    for stage in stages:
        if md5 in stage.outs.values():
            follow(stage)
    return list(found.values())


def sources(stages: Sequence[Stage]) -> set[str]:
    """Return the dependencies that no stage makes: code and configuration, all in git."""
    return {path for stage in stages for path in stage.deps if not _is_made(path, stages)}


def _is_made(path: str, stages: Sequence[Stage]) -> bool:
    return any(path == out or path.startswith(f"{out}/") for stage in stages for out in stage.outs)


def conflicts(stages: Sequence[Stage]) -> list[str]:
    """Return the files and parameters that had different values in two stages, with a description."""
    first: dict[str, tuple[str, Any]] = {}
    found = []
    for stage in stages:
        for key, value in {**stage.params, **stage.deps, **stage.outs}.items():
            name, known = first.setdefault(key, (stage.name, value))
            if value != known:
                found.append(f"{key}: {name} had {json.dumps(known)}, {stage.name} had {json.dumps(value)}")
    return found


def read_yaml(text: str) -> Any:
    """Read YAML as Hydra and DVC do: 1e-05 is a number, while PyYAML reads it as a string."""
    return OmegaConf.to_container(OmegaConf.create(text))
