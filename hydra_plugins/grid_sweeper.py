"""Hydra's basic sweeper, for trials whose process may be killed; conf/hydra/sweeper/combinations.yaml selects it."""

import logging
from collections.abc import Sequence
from pathlib import Path

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from pipeline.tracking.grid import RESULT
from pipeline.tracking.journal import first_line, wait_for_trials

log = logging.getLogger(__name__)

# Launches after which a grid gives up if no further trial has finished.
N_FRUITLESS = 3


class GridSweeper(BasicSweeper):
    """Train every combination of the values. A trial whose process was killed is trained again."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Create the launcher."""
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)
        self.launcher = _Again(self.launcher, Path(config.hydra.sweep.dir))


class _Again(Launcher):
    """Launch the trials of a batch again if a launcher gives up. Those that have finished return their result."""

    def __init__(self, launcher: Launcher | None, directory: Path) -> None:
        assert launcher
        self._launcher, self._directory = launcher, directory

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Do nothing: the launcher is set up."""

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Launch the trials until all have ended by themselves."""
        n_fruitless, n_finished = 0, self._n_finished()
        while True:
            try:
                return self._launcher.launch(job_overrides, initial_job_idx)
            except Exception as error:  # each launcher has its own, for a killed process
                wait_for_trials(self._directory)
                n_before, n_finished = n_finished, self._n_finished()
                n_fruitless = n_fruitless + 1 if n_finished == n_before else 0
                if n_fruitless == N_FRUITLESS:
                    raise
                log.warning("the launcher stopped (%s); the unfinished trials start again", first_line(error))

    def _n_finished(self) -> int:
        return len([*self._directory.glob(f"*/{RESULT}")])
