"""A sweep: its values are checked and its MLflow run is made before the first trial starts, whatever launches them."""

import logging
import os
import sys
from itertools import zip_longest
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from pipeline.base.errors import ConfigError, InklingError
from pipeline.base.paths import OUTPUTS
from pipeline.config.schema import Config
from pipeline.config.values import check, params_sha256
from pipeline.dataset.splits import check_data, load_card
from pipeline.runtime.stage import running
from pipeline.tracking.study import hold_study

log = logging.getLogger(__name__)
# For conf/hydra/launcher: how many trials the cores of this machine have threads for.
OmegaConf.register_new_resolver("trials_at_a_time", lambda threads: max(1, (os.cpu_count() or 1) // threads))


class Sweep(Callback):
    """Hydra calls this; conf/config.yaml names it. Launchers send it to the trials, so it holds nothing."""

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Before the first trial."""
        try:
            self._begin(config)
        except InklingError as error:
            sys.exit(f"error: {error}")
        except Exception:  # to Hydra it would be a warning, and the trials would be filed under no sweep
            log.exception("the sweep can't begin")
            sys.exit(1)

    def _begin(self, config: DictConfig) -> None:
        hydra = config.hydra
        params = hydra.sweeper.get("params") or {}
        arguments = [f"{key}={value}" for key, value in params.items()] + list(hydra.overrides.task)
        study, card = None, load_card()
        for checked in check_values(config, arguments):
            check_data(card, data=checked.data.model_dump(), strokes=checked.strokes.model_dump())
        if "study" in hydra.sweeper:
            decisive = [*arguments, params_sha256(checked), *card.sha256.values()]
            study = running.enter_context(hold_study(hydra.sweeper, decisive))

        from pipeline.tracking import runs

        runs.replay(OUTPUTS)  # what a killed sweep has left
        sweeper = hydra.runtime.choices["hydra/sweeper"]  # what is usual would push what is swept out of the table
        ready = [] if sweeper == "basic" else [f"hydra/sweeper={sweeper}"]
        name = " ".join([*ready, *hydra.overrides.task]) or "sweep"
        directory = Path(hydra.sweep.dir).resolve()
        sweep = runs.start_sweep(name, directory, study)
        told = running.enter_context(sweep)
        with read_write(config):
            # By overrides, because neither environment nor working directory are the same wherever a trial runs.
            quoted = str(directory).replace("'", r"\'")
            hydra.overrides.hydra += [f"+hydra.job.env_set.{runs.SWEEP}={told}", f"hydra.sweep.dir='{quoted}'"]


def check_values(config: DictConfig, arguments: list[str]) -> list[Config]:
    """Check every value that a sweep may try, each at least once, beside the values that all trials share.

    Args:
        config: composed by Hydra, with its own part.
        arguments: overrides, of which some have several values.

    Returns:
        The configurations in which they were checked.

    Raises:
        ConfigError: naming the key, the value and what is allowed.
    """
    loader = GlobalHydra.instance().config_loader()
    overrides = OverridesParser.create(config_loader=loader).parse_overrides(arguments)
    swept = [override for override in overrides if override.is_sweep_override()]
    if any(override.get_key_element().lstrip("+").startswith("runtime.") for override in swept):
        raise ConfigError("runtime.* can't be swept: TensorFlow takes it once in a process; run them one by one")
    shared = [override.input_line or "" for override in overrides if not override.is_sweep_override()]
    checked = []
    for values in list(zip_longest(*map(_assignments, swept))) or [()]:
        chosen = [value for value in values if value is not None]
        try:
            composed = loader.load_sweep_config(config, shared + chosen)
        except HydraException as error:
            raise ConfigError(f"{' '.join(chosen)}: {error}") from error
        with read_write(composed), open_dict(composed):
            del composed["hydra"]
        checked.append(check(composed))
    return checked


def _assignments(override: Override) -> list[str]:
    """Every value of a choice, both ends of an interval, as overrides."""
    key, value = override.get_key_element(), override.value()
    if override.is_interval_sweep():
        return [f"{key}={value.start}", f"{key}={value.end}"]  # type: ignore[union-attr]
    return [f"{key}={text}" for text in override.sweep_string_iterator()]
