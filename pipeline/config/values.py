"""Load, check, print, flatten and hash the values of params.yaml."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from yaml import YAMLError

from pipeline.base.errors import ConfigError
from pipeline.base.paths import CONF
from pipeline.config.schema import Config


def load_config(overrides: Sequence[str] = ()) -> Config:
    """Compose params.yaml with the presets and overrides given, as Hydra does, and check it.

    Args:
        overrides: Hydra's own, such as ``train.epochs=3`` or ``size=smoke``.

    Raises:
        ConfigError: naming the key, the value and what is allowed.
    """
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
            composed = compose("config", overrides=list(overrides))
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        raise ConfigError(f"{' '.join(overrides) or 'params.yaml'}: {error}") from error
    return check(composed)


def check(composed: DictConfig) -> Config:
    """The typed configuration for a composed one.

    Raises:
        ConfigError: naming the key, the value and what is allowed.
    """
    try:
        return Config.model_validate(OmegaConf.to_container(composed, resolve=True))
    except OmegaConfBaseException as error:  # an interpolation that leads nowhere
        raise ConfigError(str(error)) from error
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(problem) for problem in error.errors())) from error


def _explain(problem: Mapping[str, Any]) -> str:
    key, message = ".".join(map(str, problem["loc"])), problem["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if problem["type"] == "missing":
        return f"{key} is missing from params.yaml"
    if problem["type"] == "extra_forbidden":
        return f"{key} is not a known parameter; pipeline/config/schema.py lists them"
    if problem["type"] == "value_error":  # of several keys together
        return f"{key}: {message}"
    return f"{key}: {message}, not {problem['input']!r} ({_field(key).description})"


def _field(key: str) -> FieldInfo:
    """What the schema says of a dotted key, such as "train.epochs"; of a list, also "train.parts.0"."""
    field = FieldInfo(annotation=Config)
    for name in key.split("."):
        field = getattr(field.annotation, "model_fields", {name: field})[name]
    return field


def meaning(key: str) -> str:
    """What a dotted key means, and the values that it may have."""
    section, _, name = key.rpartition(".")
    schema = _field(section).annotation.model_json_schema()["properties"][name]  # type: ignore[union-attr]
    allowed = " or ".join(_allowed(option) for option in schema.get("anyOf", [schema]))
    return f"{schema['description']} [{allowed}]"


def _allowed(schema: Mapping[str, Any]) -> str:
    """The values that a JSON schema allows, in words."""
    if "enum" in schema:
        return ", ".join(schema["enum"])
    words = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    limits = [f"{word} {schema[limit]}" for limit, word in words.items() if limit in schema]
    kind = {"boolean": "true or false", "integer": "a whole number", "number": "a number"}.get(schema["type"])
    return ", ".join([kind or schema["type"], *limits])


def dump(config: Config) -> str:
    """The configuration as the text of params.yaml."""
    return OmegaConf.to_yaml(OmegaConf.create(config.model_dump()))


def params_sha256(config: Config) -> str:
    """SHA-256 of that text: the name of these values, in the model file and beside figures.

    `data.extra_strokes` came later: where it is null, what was made without it keeps its name. So did `runtime.mode`,
    which decides about the last bits alone: the values have one name in both modes.
    """
    later = {"runtime": {"mode"}} | ({"data": {"extra_strokes"}} if config.data.extra_strokes is None else {})
    values = config.model_dump(exclude=later)
    return hashlib.sha256(OmegaConf.to_yaml(OmegaConf.create(values)).encode()).hexdigest()


def flatten(config: Config) -> dict[str, Any]:
    """Dotted keys and values, as an experiment tracker takes them."""

    def items(section: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
        for name, value in section.items():
            if isinstance(value, dict):
                yield from items(value, f"{prefix}{name}.")
            else:
                yield prefix + name, value

    return dict(items(config.model_dump(), ""))
