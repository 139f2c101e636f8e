"""dvc.lock, read: the stages that lead to a file, with what each of them took and made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from pipeline.errors import DataError


@dataclass(frozen=True)
class Stage:
    """An entry of dvc.lock.

    Attributes:
        name: of the stage.
        cmd: what it ran.
        params: the values that it read, by dotted key.
        deps: MD5 of what it read, by path; of a directory, with ".dir".
        outs: MD5 of what it made, by path.
    """

    name: str
    cmd: str
    params: dict[str, Any]
    deps: dict[str, str]
    outs: dict[str, str]


def stages_to(lock: str, md5: str) -> list[Stage]:
    """The stages that lead to a file, the first one first; none, if no stage made it.

    Args:
        lock: text of dvc.lock.
        md5: of the file's bytes.

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
    """Whether a path is an output, or lies in one."""
    return path == out or path.startswith(f"{out}/")


def broken_links(stages: Sequence[Stage]) -> list[str]:
    """What one stage made otherwise than another one took it: then the stages did not run one after the other."""
    made = {path: (stage.name, md5) for stage in stages for path, md5 in stage.outs.items()}
    return [
        f"{path}: {made[path][0]} made {made[path][1]}, {stage.name} took {md5}"
        for stage in stages
        for path, md5 in stage.deps.items()
        if path in made and made[path][1] != md5
    ]


def _read(lock: str) -> list[Stage]:
    try:
        return [
            Stage(
                name,
                entry["cmd"],
                {key: value for file in entry.get("params", {}).values() for key, value in dotted(file)},
                {dep["path"]: dep["md5"] for dep in entry.get("deps", [])},
                {out["path"]: out["md5"] for out in entry.get("outs", [])},
            )
            for name, entry in yaml.safe_load(lock)["stages"].items()
        ]
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise DataError(f"dvc.lock can't be read ({error!r}): `git log dvc.lock` has the ones before") from error


def dotted(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and their values."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from dotted(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
