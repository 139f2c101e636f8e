"""dvc.lock, read: the stages that lead to a file, with what each of them took and made."""

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
        cmd: what it ran.
        params: the values that it read, by dotted key.
        sections: of these values that it read whole.
        deps: MD5 of what it read, by path; of a directory, with ".dir".
        outs: MD5 of what it made, by path.
    """

    name: str
    cmd: str
    params: dict[str, Any]
    sections: list[str]
    deps: dict[str, str]
    outs: dict[str, str]

    def reads(self, key: str) -> bool:
        """Whether another value of this dotted key would have the stage run again."""
        return key in self.params or any(key.startswith(f"{section}.") for section in self.sections)


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


def sources(stages: Sequence[Stage]) -> set[str]:
    """Return the dependencies that no stage makes: code and configuration, all in git."""
    made = [out for stage in stages for out in stage.outs]
    return {path for stage in stages for path in stage.deps if not any(holds(out, path) for out in made)}


def broken_links(stages: Sequence[Stage]) -> list[str]:
    """What one stage made otherwise than another one took it: then the stages did not run one after the other."""
    made = {path: (stage.name, md5) for stage in stages for path, md5 in stage.outs.items()}
    return [
        f"{path}: {made[path][0]} made {made[path][1]}, {stage.name} took {md5}"
        for stage in stages
        for path, md5 in stage.deps.items()
        if path in made and made[path][1] != md5
    ]


def differing_params(stages: Sequence[Stage]) -> list[str]:
    """The values that two stages read otherwise: then one of them ran with others than the file was made with.

    A key that a stage's whole section lacks came later, and is null for what was done without it.
    """
    found = []
    for key in dict.fromkeys(key for stage in stages for key in stage.params):
        values = {stage.name: stage.params.get(key) for stage in stages if stage.reads(key)}
        if any(value != next(iter(values.values())) for value in values.values()):
            found.append(f"{key}: {', '.join(f'{name} had {json.dumps(value)}' for name, value in values.items())}")
    return found


def _read(lock: str) -> list[Stage]:
    try:
        return [
            Stage(
                name,
                entry["cmd"],
                {key: value for file in entry.get("params", {}).values() for key, value in dotted(file)},
                [key for file in entry.get("params", {}).values() for key in file if isinstance(file[key], dict)],
                {dep["path"]: dep["md5"] for dep in entry.get("deps", [])},
                {out["path"]: out["md5"] for out in entry.get("outs", [])},
            )
            for name, entry in read_yaml(lock)["stages"].items()
        ]
    except (YAMLError, OmegaConfBaseException, AttributeError, KeyError, TypeError) as error:
        raise DataError(f"dvc.lock can't be read ({error!r}): `git log dvc.lock` has the ones before") from error


def read_yaml(text: str) -> Any:
    """Values as Hydra and DVC read them: 1e-05 is a number, which PyYAML by itself takes for a text."""
    return OmegaConf.to_container(OmegaConf.create(text))


def dotted(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and their values."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from dotted(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
