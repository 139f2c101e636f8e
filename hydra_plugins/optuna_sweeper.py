"""A Hydra sweeper that searches with Optuna (TPE); conf/hydra/sweeper/optuna.yaml documents its settings."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
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
from pipeline.tracking.study import open_storage

if TYPE_CHECKING:  # Hydra imports every plugin at every start, and this import takes a second
    import optuna

log = logging.getLogger(__name__)

INTERRUPTED = "interrupted"  # attribute of a trial whose driver was killed


class OptunaSweeper(Sweeper):
    """Ask a study for trials and launch them in batches. The trials report their results to the study."""

    def __init__(
        self,
        study: str,
        storage: Any,
        objectives: DictConfig,
        n_trials: int,
        n_parallel: int,
        seed: int,
        params: DictConfig,
        **of_trials: Any,
    ) -> None:
        self._study_name = study
        self._storage = storage
        self._objectives = {str(name): direction for name, direction in objectives.items()}
        self._n_trials = n_trials
        self._n_parallel = n_parallel
        self._seed = seed
        self._params = params

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra passes, and make the launcher."""
        self._context = hydra_context
        self._directory = Path(config.hydra.sweep.dir)
        self._launcher: Launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Run trials until the study has `n_trials`.

        Args:
            arguments: overrides; those with several values are searched. They take precedence over `params`.
        """
        import optuna

        parser = OverridesParser.create(config_loader=self._context.config_loader)
        given = parser.parse_overrides([f"{key!s}={value}" for key, value in self._params.items()] + arguments)
        overrides = {override.get_key_element(): override for override in given}
        space = {key: _distribution(override) for key, override in overrides.items() if override.is_sweep_override()}
        shared = [override.input_line or "" for key, override in overrides.items() if key not in space]
        study = self._open_study()
        if _n_finished(study) >= self._n_trials:
            log.info("the study %r has its %d trials: a larger n_trials continues it", self._study_name, self._n_trials)
        n_launched = 0
        while (n_wanted := min(self._n_parallel, self._n_trials - _n_finished(study))) > 0:
            trials = [study.ask(space) for _ in range(n_wanted)]
            self._launch(study, trials, shared, n_launched)
            n_launched += n_wanted
        if not study.get_trials(states=[optuna.trial.TrialState.COMPLETE]):
            sys.exit(f"error: every trial of the study {self._study_name!r} failed; see the messages above")
        self._save(study)

    def _open_study(self) -> "optuna.Study":
        import optuna

        study = optuna.load_study(study_name=self._study_name, storage=open_storage(self._storage))
        # The seed contains the number of trials: a continued study must not draw its first trials again.
        study.sampler = optuna.samplers.TPESampler(
            seed=self._seed + len(study.trials), constant_liar=self._n_parallel > 1
        )
        for trial in study.get_trials(states=[optuna.trial.TrialState.RUNNING]):
            optuna.Trial(study, trial._trial_id).set_user_attr(INTERRUPTED, True)
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
            study.enqueue_trial(trial.params)
        return study

    def _launch(
        self, study: "optuna.Study", trials: Sequence["optuna.Trial"], shared: list[str], n_launched: int
    ) -> None:
        """Run trials. A trial that does not report to the study has failed."""
        from optuna.trial import TrialState

        jobs = []
        for trial in trials:
            values = [f"{key}={value}" for key, value in trial.params.items()]
            jobs.append([*shared, *values, f"hydra.sweeper.trial={trial.number}"])
        try:
            ended = self._launcher.launch(jobs, initial_job_idx=n_launched)
        except Exception as error:  # some launchers raise if the process of a trial is killed; the search continues
            log.warning("the launcher stopped: %s: %s", type(error).__name__, error)
            wait_for_trials(self._directory)
        else:
            for one in ended:
                if one.status == JobStatus.FAILED:
                    log.warning("%s: %s", " ".join(one.overrides or []), one._return_value)
        for silent in study.get_trials(states=[TrialState.RUNNING]):
            study.tell(silent.number, state=TrialState.FAIL)
            log.warning("trial %d failed", silent.number)

    def _save(self, study: "optuna.Study") -> None:
        """Write the best trial, or the Pareto front of several objectives, as a table in the sweep's directory."""
        names = list(self._objectives)
        best = sorted(study.best_trials, key=lambda trial: trial.values)
        keys = sorted({key for trial in best for key in trial.params})
        header = ["trial", *names, *keys]
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
