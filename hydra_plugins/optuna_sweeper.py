"""A Hydra sweeper that searches with Optuna (TPE); conf/hydra/sweeper/optuna.yaml documents its settings."""

import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.core.utils import JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from pipeline.base.files import write_table
from pipeline.tracking.journal import wait_for_trials

if TYPE_CHECKING:  # imported late: Hydra imports every plugin at every start, and Optuna takes a second
    import optuna

log = logging.getLogger(__name__)

INTERRUPTED = "interrupted"  # attribute of a trial whose driver was killed


class OptunaSweeper(Sweeper):
    """Ask a study for trials and launch them in batches. The trials report their results to the study."""

    def __init__(self, **settings: Any) -> None:
        self._settings = SimpleNamespace(**settings)

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Store Hydra's arguments, and create the launcher."""
        self._context = hydra_context
        self._directory = Path(config.hydra.sweep.dir)
        self._launcher: Launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Search until the study has `n_trials` trials. Overrides with several values take precedence over `params`."""
        import optuna

        settings = self._settings
        parser = OverridesParser.create(config_loader=self._context.config_loader)
        given = parser.parse_overrides([f"{key!s}={value}" for key, value in settings.params.items()] + arguments)
        overrides = {override.get_key_element(): override for override in given}
        space = {key: _distribution(override) for key, override in overrides.items() if override.is_sweep_override()}
        shared = [override.input_line or "" for key, override in overrides.items() if key not in space]
        study = self._open_study()
        if _n_finished(study) >= settings.n_trials:
            log.info(
                "the study %r has its %d trials: a larger n_trials continues it", settings.study, settings.n_trials
            )
        n_launched = 0
        while (n_wanted := min(settings.n_parallel, settings.n_trials - _n_finished(study))) > 0:
            jobs = []
            for trial in [study.ask(space) for _ in range(n_wanted)]:
                values = [f"{key}={value}" for key, value in trial.params.items()]
                jobs.append([*shared, *values, f"hydra.sweeper.trial={trial.number}"])
            self._launch(study, jobs, n_launched)
            n_launched += n_wanted
        if not study.get_trials(states=[optuna.trial.TrialState.COMPLETE]):
            sys.exit(f"error: every trial of the study {settings.study!r} failed; see the messages above")
        self._save(study)

    def _open_study(self) -> "optuna.Study":
        import optuna

        settings = self._settings
        study = optuna.load_study(study_name=settings.study, storage=settings.storage)
        # The seed contains the number of trials: a continued study must not draw its first trials again.
        seed = settings.seed + len(study.trials)
        study.sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=settings.n_parallel > 1)
        for trial in study.get_trials(states=[optuna.trial.TrialState.RUNNING]):
            optuna.Trial(study, trial._trial_id).set_user_attr(INTERRUPTED, True)
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
            study.enqueue_trial(trial.params)
        return study

    def _launch(self, study: "optuna.Study", jobs: list[list[str]], n_launched: int) -> None:
        """Run trials. Mark those as failed that did not report to the study."""
        from optuna.trial import TrialState

        try:
            for job in self._launcher.launch(jobs, initial_job_idx=n_launched):
                if job.status == JobStatus.FAILED:
                    log.warning("%s: %s", " ".join(job.overrides or []), job._return_value)
        except Exception as error:  # some launchers raise if the process of a trial is killed; the search continues
            log.warning("the launcher stopped: %s: %s", type(error).__name__, error)
            wait_for_trials(self._directory)
        for silent in study.get_trials(states=[TrialState.RUNNING]):
            study.tell(silent.number, state=TrialState.FAIL)
            log.warning("trial %d failed", silent.number)

    def _save(self, study: "optuna.Study") -> None:
        """Write the best trial, or the Pareto front of several objectives, as a table in the sweep's directory."""
        best = sorted(study.best_trials, key=lambda trial: trial.values)
        keys = sorted({key for trial in best for key in trial.params})
        header = ["trial", *map(str, self._settings.objectives), *keys]
        rows = [[trial.number, *trial.values, *(trial.params.get(key) for key in keys)] for trial in best]
        write_table(self._directory / "best_trials.csv", header, rows)
        for row in rows:
            log.info("best: %s", "  ".join(f"{name}={value}" for name, value in zip(header, row, strict=True)))


def _distribution(override: Override) -> "optuna.distributions.BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    value: Any = override.value()
    if not override.is_interval_sweep():
        return CategoricalDistribution(list(override.sweep_string_iterator()))
    kind = IntDistribution if isinstance(value.start, int) and isinstance(value.end, int) else FloatDistribution
    return kind(value.start, value.end, log="log" in value.tags)


def _n_finished(study: "optuna.Study") -> int:
    trials = study.get_trials(deepcopy=False)
    return sum(trial.state.is_finished() and INTERRUPTED not in trial.user_attrs for trial in trials)
