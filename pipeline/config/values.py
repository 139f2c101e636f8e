"""Load, check, print, flatten and hash the values of params.yaml."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError
from yaml import YAMLError

from pipeline.base.errors import ConfigError
from pipeline.base.paths import CONF, ROOT
from pipeline.config.schema import Config, explain, unknown

MULTIRUN = ("-m", "--multirun")


def load_config(overrides: Sequence[str] = ()) -> Config:
    """Compose params.yaml with presets and overrides, as Hydra does, and check the result.

    Args:
        overrides: Hydra overrides such as ``train.epochs=3`` or ``size=smoke``.

    Raises:
        ConfigError: the configuration is missing or invalid.
    """
    return check(_compose(overrides))


def _compose(overrides: Sequence[str]) -> DictConfig:
    require_checkout()
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
            return compose("config", overrides=list(overrides))
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        raise ConfigError(explain_override(error, overrides)) from error


def check_command_line(arguments: Sequence[str]) -> None:
    """Raise ConfigError if Hydra can't compose these arguments; its own errors give other advice.

    The values of a sweep are left to `pipeline.tracking.sweep`.
    """
    if any(argument.startswith(("--config", "-cp", "-cn", "-cd")) for argument in arguments):  # not conf/
        return
    overrides = [
        text
        for before, text in pairwise(["", *arguments])
        if not text.startswith("-") and ("=" in text or before in MULTIRUN or not before.startswith("-"))
    ]  # a text without `=` after another option is the option's value
    try:
        parsed = OverridesParser.create().parse_overrides(overrides)
    except HydraException as error:
        raise ConfigError(explain_override(error, overrides)) from error
    _compose([override.input_line or "" for override in parsed if not override.is_sweep_override()])


def explain_override(error: Exception, overrides: Sequence[str]) -> str:
    """Return what is wrong with an override, and what to write instead."""
    if isinstance(error, OverrideParseException):
        key, equals, value = error.override.partition("=")
        if not equals:
            return f"{key} has no value; write {key}=VALUE"
        quoted = value.replace("'", r"\'")
        return f"{error.override} can't be read; if the value is a text, quote it twice: \"{key}='{quoted}'\""
    if isinstance(error, MissingConfigException) and error.options and error.missing_cfg_file:
        group, _, name = error.missing_cfg_file.rpartition("/")
        return f"there is no {group}={name}; choose from {', '.join(error.options)}"
    if found := re.match(r"Could not (?:override|delete from config\.) '(.+?)'", str(error)):
        return unknown(found[1])
    if found := re.match(r"Ambiguous value for argument '(.+?)'", str(error)):
        do = f"a decimal number has a point, and a sweep is `python -m pipeline.train -m {found[1]}`"
        return f"{found[1]} has several values; {do}"
    return f"{' '.join(overrides) or 'params.yaml'}: {error}"


def require_checkout() -> None:
    """Raise ConfigError if params.yaml or conf/ is missing: neither is part of an installed package."""
    missing = [path.name for path in (ROOT / "params.yaml", CONF) if not path.exists()]
    if missing:
        raise ConfigError(
            f"there is no {' and no '.join(missing)} in {ROOT}: the pipeline needs a complete checkout of Inkling; "
            "change to its folder and run the command there"
        )


def check(composed: DictConfig) -> Config:
    """Return the typed configuration.

    Raises:
        ConfigError: a value is invalid; the message names the key, the value and the rule.
    """
    try:
        return Config.model_validate(OmegaConf.to_container(composed, resolve=True))
    except OmegaConfBaseException as error:  # an unresolved interpolation
        raise ConfigError(str(error)) from error
    except ValidationError as error:
        raise ConfigError("\n".join(map(explain, error.errors()))) from error


def dump(config: Config) -> str:
    """Return the configuration as the text of params.yaml."""
    return OmegaConf.to_yaml(OmegaConf.create(config.model_dump()))


def params_sha256(config: Config) -> str:
    """Return the SHA-256 of the text of `dump`. Model files and benchmark results record it."""
    return hashlib.sha256(dump(config).encode()).hexdigest()


def flatten(config: Config) -> dict[str, Any]:
    """Return the values by dotted key."""
    return dict(dotted(config.model_dump()))


def dotted(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted keys and their values."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from dotted(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
