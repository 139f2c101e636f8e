"""Read dvc.lock: the stages that made a file, with their inputs and outputs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from pipeline.base.errors import DataError


@dataclass(frozen=True)
class Stage:
    """An entry of dvc.lock.

    Attributes:
        name: of the stage.
        cmd: its command.
        params: the values that it read, by dotted key.
        deps: MD5 of its inputs, by path; of a directory, with ".dir".
        outs: MD5 of its outputs, by path.
    """

    name: str
    cmd: str
    params: dict[str, Any]
    deps: dict[str, str]
    outs: dict[str, str]


def stages_to(lock: str, md5: str) -> list[Stage]:
    """Return the stages that made a file, in the order in which they ran; none if no stage made it.

    Args:
        lock: text of dvc.lock.
        md5: of the file.

    Raises:
        DataError: the text is no dvc.lock.
    """
    stages = _read(lock)
    found: dict[str, Stage] = {}

    def follow(stage: Stage) -> None:
        if stage.name in found:
            return
        for path in stage.deps:
            for maker in stages:
                if any(holds(out, path) for out in maker.outs):
                    follow(maker)
        found[stage.name] = stage

    for stage in stages:
        if md5 in stage.outs.values():
            follow(stage)
    return list(found.values())


def holds(out: str, path: str) -> bool:
    """Return whether a path is an output, or lies in one."""
    return path == out or path.startswith(f"{out}/")


def sources(stages: Sequence[Stage]) -> set[str]:
    """Return the dependencies that no stage makes: code and configuration, all in git."""
    made = [out for stage in stages for out in stage.outs]
    return {path for stage in stages for path in stage.deps if not any(holds(out, path) for out in made)}


def broken_links(stages: Sequence[Stage]) -> list[str]:
    """Return the files that one stage made and another one read with different bytes."""
    made = {path: (stage.name, md5) for stage in stages for path, md5 in stage.outs.items()}
    return [
        f"{path}: {made[path][0]} made {made[path][1]}, {stage.name} took {md5}"
        for stage in stages
        for path, md5 in stage.deps.items()
        if path in made and made[path][1] != md5
    ]


def differing_params(stages: Sequence[Stage]) -> list[str]:
    """Return the keys that two stages read with different values."""
    found = []
    for key in dict.fromkeys(key for stage in stages for key in stage.params):
        values = {stage.name: stage.params[key] for stage in stages if key in stage.params}
        if any(value != next(iter(values.values())) for value in values.values()):
            found.append(f"{key}: {', '.join(f'{name} had {json.dumps(value)}' for name, value in values.items())}")
    return found


def _read(lock: str) -> list[Stage]:
    try:
        return [
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


def read_yaml(text: str) -> Any:
    """Read YAML as Hydra and DVC do: 1e-05 is a number, while PyYAML takes it for a text."""
    return OmegaConf.to_container(OmegaConf.create(text))


def dotted(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted keys and their values."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from dotted(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
