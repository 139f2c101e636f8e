"""Check all values of a sweep, and start its MLflow run, before any launcher starts the first trial."""

import logging
import os
import signal
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
from pipeline.config.values import check, explain_override, params_sha256
from pipeline.dataset.splits import check_data, load_card
from pipeline.runtime.stage import running
from pipeline.tracking import grid, study

log = logging.getLogger(__name__)
# For conf/hydra/launcher: the number of trials for which this machine has cores.
OmegaConf.register_new_resolver("trials_at_a_time", lambda threads: max(1, (os.cpu_count() or 1) // threads))


class Sweep(Callback):
    """Callback in conf/config.yaml. Launchers pickle it for the trials, so it has no state."""

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Start the sweep, or exit with an error."""
        try:
            _start(config)
        except InklingError as error:
            sys.exit(f"error: {error}")
        except Exception:  # Hydra would only log a warning, and the trials would belong to no sweep
            log.exception("the sweep can't start")
            sys.exit(1)


def _start(config: DictConfig) -> None:
    hydra = config.hydra
    params = hydra.sweeper.get("params") or {}
    arguments = [f"{key}={value}" for key, value in params.items()] + list(hydra.overrides.task)
    card = load_card()
    for checked in check_values(config, arguments):
        check_data(card, data=checked.data.model_dump(), strokes=checked.strokes.model_dump())
    directory = Path(hydra.sweep.dir).resolve()
    decisive = [*arguments, params_sha256(checked), *card.sha256.values()]
    if "study" in hydra.sweeper:
        found_by = study.TAG, running.enter_context(study.open_study(hydra.sweeper, decisive))
    else:
        directory, grid_id = running.enter_context(grid.open_grid(directory, decisive))
        found_by = grid.TAG, grid_id

    from pipeline.tracking import runs

    runs.replay(OUTPUTS)  # events of killed sweeps
    sweeper = hydra.runtime.choices["hydra/sweeper"]
    chosen = [] if sweeper == "combinations" else [f"hydra/sweeper={sweeper}"]
    name = " ".join([*chosen, *hydra.overrides.task]) or "sweep"
    file = running.enter_context(runs.start_sweep(name, directory, found_by))
    # As overrides: a trial in another process may have another environment and working directory.
    with read_write(config):
        hydra.sweep.dir = str(directory)
        for key, path in ((f"+hydra.job.env_set.{grid.SWEEP}", file), ("hydra.sweep.dir", directory)):
            quoted = str(path).replace("'", r"\'")
            hydra.overrides.hydra.append(f"{key}='{quoted}'")
    if (ray_settings := OmegaConf.select(hydra, "launcher.ray.init")) is not None:
        import ray

        options: Any = OmegaConf.to_container(ray_settings, resolve=True)
        handler = signal.getsignal(signal.SIGTERM)
        ray.init(**options)  # not in the launcher, so that the handler of SIGTERM is restored
        signal.signal(signal.SIGTERM, handler)


def check_values(config: DictConfig, arguments: list[str]) -> list[Config]:
    """Check every value of a sweep at least once, together with the values that all trials share.

    Raises:
        ConfigError: a value is invalid; the message names the key, the value and the allowed values.
    """
    loader = GlobalHydra.instance().config_loader()
    overrides = OverridesParser.create(config_loader=loader).parse_overrides(arguments)
    swept = [override for override in overrides if override.is_sweep_override()]
    if any(override.get_key_element().lstrip("+").startswith("runtime.") for override in swept):
        raise ConfigError("runtime.* can't be swept: TensorFlow reads it once in a process; start a run for each value")
    shared = [override.input_line or "" for override in overrides if not override.is_sweep_override()]
    assignments = [_assignments(override) for override in swept]
    if empty := [override.input_line for override, texts in zip(swept, assignments, strict=True) if not texts]:
        raise ConfigError(f"{empty[0]} matches nothing, so there is no trial")
    checked = []
    for values in list(zip_longest(*assignments)) or [()]:
        chosen = list(filter(None, values))
        try:
            composed = loader.load_sweep_config(config, shared + chosen)
        except HydraException as error:
            raise ConfigError(explain_override(error, chosen)) from error
        with read_write(composed), open_dict(composed):
            del composed["hydra"]
        checked.append(check(composed))
    return checked


def _assignments(override: Override) -> list[str]:
    """Return overrides with every value of a choice, or with both ends of an interval."""
    key, value = override.get_key_element(), override.value()
    if override.is_interval_sweep():
        return [f"{key}={value.start}", f"{key}={value.end}"]  # type: ignore[union-attr]
    return [f"{key}={text}" for text in override.sweep_string_iterator()]
