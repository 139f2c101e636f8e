"""The study of a search by Optuna. Functions for trials do nothing outside of a search."""

import fcntl
import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate

from pipeline.base.errors import ConfigError, Pruned
from pipeline.base.paths import OUTPUTS
from pipeline.network.history import Epoch

if TYPE_CHECKING:  # the import takes a second
    import optuna


TAG = "study"  # of the sweep's run: the ID of the study
FIGURES = ("val_accuracy", "n_weights")  # results of `train` that can be objectives


@contextmanager
def open_study(settings: Any, values: Sequence[str]) -> Iterator[str]:
    """Create the study or open it, for one driver at a time on this machine. Yield its ID.

    `values` are all overrides and digests that determine the trials, in any order.

    Raises:
        ConfigError: an objective is unknown, the study belongs to another search, or another process runs it.
    """
    import optuna

    objectives = dict(settings.objectives)
    if unknown := objectives.keys() - set(FIGURES):
        raise ConfigError(f"hydra.sweeper.objectives: {', '.join(unknown)} is not one of {', '.join(FIGURES)}")
    OUTPUTS.mkdir(exist_ok=True)
    with (OUTPUTS / f"study-{_sha256(settings.study, settings.storage)}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(f"the study {settings.study!r} is being searched by another process") from error
        name, directions = settings.study, list(objectives.values())
        study = optuna.create_study(
            study_name=name, storage=settings.storage, directions=directions, load_if_exists=True
        )
        digest = _sha256(*map(str, objectives.items()), *sorted(values))
        # A random ID: a study that was deleted and created again must not continue the old MLflow run.
        for key, value in (("id", uuid.uuid4().hex), ("values", digest)):
            if key not in study.user_attrs:
                study.set_user_attr(key, value)
        if study.user_attrs["values"] != digest:
            raise ConfigError(
                f"the study {name!r} belongs to another search: its values, params.yaml or data differ. "
                "hydra.sweeper.study=NAME starts another study"
            )
        yield study.user_attrs["id"]


def _sha256(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def report(epoch: Epoch) -> None:
    """Report the validation accuracy of an epoch to the study; with several objectives there is no pruning.

    Raises:
        Pruned: the study ends this trial.
    """
    if not (trial := _trial()) or len(trial.study.directions) > 1:
        return
    trial.report(epoch.val_accuracy, epoch.epoch)
    if trial.should_prune():
        import optuna

        trial.study.tell(trial.number, state=optuna.trial.TrialState.PRUNED)
        raise Pruned(f"the search has stopped this trial after epoch {epoch.epoch}")


def tell(figures: Mapping[str, float]) -> None:
    """Report the result to the study from the trial's process, so that it is kept if the sweep's process is killed."""
    if trial := _trial():
        trial.study.tell(trial.number, [figures[name] for name in HydraConfig.get().sweeper.objectives])


def _trial() -> "optuna.Trial | None":
    """Return the trial of this process, `hydra.sweeper.trial`."""
    settings: Any = HydraConfig.get().sweeper if HydraConfig.initialized() else {}
    if settings.get("trial") is None:
        return None
    import optuna

    pruner = instantiate(settings.pruner) or optuna.pruners.NopPruner()
    study = optuna.load_study(study_name=settings.study, storage=settings.storage, pruner=pruner)
    return optuna.Trial(study, study.get_trials(deepcopy=False)[settings.trial]._trial_id)
