"""A search by Optuna: its study, and what a trial tells it and asks it. Without a search, a trial does nothing here."""

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

if TYPE_CHECKING:  # it takes a second, and only a search needs it
    import optuna


FIGURES = ("val_accuracy", "n_weights")  # what `train` returns, and an objective may be
ID, VALUES = "id", "values"  # attributes of a study


@contextmanager
def hold_study(settings: Any, values: Sequence[str]) -> Iterator[str]:
    """Make the study or open it, for one driver at a time on this machine; yields its ID.

    Args:
        settings: the sweeper's, conf/hydra/sweeper/optuna.yaml.
        values: all that decides about the trials, in any order: a study is of one search.

    Raises:
        ConfigError: an objective is no figure, another search has this study, or another driver runs it.
    """
    import optuna

    objectives = dict(settings.objectives)
    if unknown := objectives.keys() - set(FIGURES):
        raise ConfigError(f"hydra.sweeper.objectives: {', '.join(unknown)} is none of {', '.join(FIGURES)}")
    OUTPUTS.mkdir(exist_ok=True)
    with (OUTPUTS / f"study-{_sha256(settings.study, str(settings.storage))}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(f"the study {settings.study!r} is being searched by another process") from error
        directions, storage = list(objectives.values()), open_storage(settings.storage)
        study = optuna.create_study(
            study_name=settings.study, storage=storage, directions=directions, load_if_exists=True
        )
        digest = _sha256(*map(str, objectives.items()), *sorted(values))
        # A new one each time: who deletes a study and begins again must not go on in the old one's run.
        for name, value in ((ID, uuid.uuid4().hex), (VALUES, digest)):
            if name not in study.user_attrs:
                study.set_user_attr(name, value)
        if study.user_attrs[VALUES] != digest:
            raise ConfigError(
                f"the study {settings.study!r} is of another search: of other values, params.yaml or data. "
                "hydra.sweeper.study=NAME begins another study"
            )
        yield study.user_attrs[ID]


def _sha256(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def open_storage(storage: Any) -> Any:
    """What Optuna takes as storage, from a database's URL or what Hydra can make one of (`_target_`)."""
    return storage if isinstance(storage, str) else instantiate(storage)


def report(epoch: Epoch) -> None:
    """Tell the study the validation accuracy of an epoch; with several objectives it is not asked.

    Raises:
        Pruned: it says that this trial is losing.
    """
    if not (trial := _trial()) or len(trial.study.directions) > 1:
        return
    trial.report(epoch.val_accuracy, epoch.epoch)
    if trial.should_prune():
        import optuna

        trial.study.tell(trial.number, state=optuna.trial.TrialState.PRUNED)
        raise Pruned(f"the search has stopped this trial after epoch {epoch.epoch}")


def tell(figures: Mapping[str, float]) -> None:
    """Tell the study the result: in the trial's own process, so that it is kept if that of the sweep is killed."""
    if trial := _trial():
        trial.study.tell(trial.number, [figures[name] for name in HydraConfig.get().sweeper.objectives])


def _trial() -> "optuna.Trial | None":
    """The trial that conf/hydra/sweeper/optuna.yaml speaks of in this process."""
    if not HydraConfig.initialized():
        return None
    settings: Any = HydraConfig.get().sweeper
    if settings.get("trial") is None:
        return None
    import optuna

    pruner = instantiate(settings.pruner) or optuna.pruners.NopPruner()
    study = optuna.load_study(study_name=settings.study, storage=open_storage(settings.storage), pruner=pruner)
    return optuna.Trial(study, study.get_trials(deepcopy=False)[settings.trial]._trial_id)
