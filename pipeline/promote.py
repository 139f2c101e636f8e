"""Write the best values of a sweep into params.yaml.

python -m pipeline.promote                 the best values of the latest sweep
python -m pipeline.promote SWEEP           the best values of the sweep with this run ID
python -m pipeline.promote --run ID        the values of another run

Trials that differ only in their seed are one setting. The settings of the sweep and the current setting are ranked by
mean validation accuracy. params.yaml keeps its seed.
"""

import argparse
import difflib
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from json import loads
from typing import Any

from omegaconf import OmegaConf

from pipeline import compare
from pipeline.base.errors import ConfigError, InklingError, PromotionError
from pipeline.base.files import write_text
from pipeline.base.paths import ROOT, Outputs
from pipeline.compare import SEED, fold, mean_interval
from pipeline.config.schema import Config
from pipeline.config.values import check, dump, load_config
from pipeline.dataset.splits import NO_DIGIT, DataCard, load_card, load_split, select_parts
from pipeline.evaluation.statistics import wilson
from pipeline.registry import store
from pipeline.registry.store import Trial
from pipeline.tracking.runs import DATA_TAG, parameters

PARAMS = ROOT / "params.yaml"
# Sections whose values are written. `data` and `strokes` must be equal; `runtime` depends on the machine.
PROMOTED = ("model", "train", "decision")
N_SHOWN = 10


@dataclass(frozen=True)
class Setting(compare.Setting):
    """A setting with the values that it would give to params.yaml."""

    overrides: dict[str, Any]  # values that differ from params.yaml, by dotted key
    config: Config  # params.yaml with these values

    def row(self, n_digits: int) -> str:
        """Return the row of this setting in the printed table.

        It shows the spread over the seeds. If there is only one seed, it shows the 95 % interval of the accuracy on
        `n_digits` digits.
        """
        if interval := mean_interval([*self.accuracies.values()]):
            spread = "{:.2%} to {:.2%} ({})".format(*interval, len(self.accuracies))
        else:
            spread = "{:.2%} to {:.2%}".format(*wilson(round(self.accuracy * n_digits), n_digits))
        cost = f"{self.seconds:,.0f} s, {self.trials[0].metrics['n_weights']:,.0f} weights"
        return fold(f"{self.trials[0].run_id}  {self.accuracy:.2%}  {spread:<20}  {cost:>24}  {self.values}")


def objection(trial: Trial, config: Config, card: DataCard) -> str | None:
    """Return the reason why the values of a run can't be promoted, or None if they can."""
    if trial.failure:
        return trial.failure
    if loads(trial.tags.get(DATA_TAG, "null")) != card.sha256:
        remedy = "sweep again, or put its `data` and `strokes` into params.yaml and run `dvc repro prepare`"
        return f"its data is not data/prepared: {remedy}"
    if unknown := trial.parameters.keys() ^ parameters(config).keys():
        return f"only one of params.yaml and the run has {', '.join(sorted(unknown))}"
    if trial.values["train.parts"] != list(config.train.parts):
        return "it was validated on other parts of the data (train.parts)"
    try:
        make_setting([trial], config)
    except ConfigError as error:
        return str(error)
    return None


def make_setting(trials: Sequence[Trial], config: Config) -> Setting:
    """Return params.yaml with the values of trials that differ only in their seeds. Raise ConfigError if invalid."""
    found, promoted = overrides(trials[0], config), OmegaConf.create(config.model_dump())
    for key, value in found.items():
        OmegaConf.update(promoted, key, value)
    values = " ".join(f"{key}={value}" for key, value in found.items()) or "(as in params.yaml)"
    return Setting(values, trials, found, check(promoted))


def overrides(trial: Trial, config: Config) -> dict[str, Any]:
    """Return the promoted values of a run that differ from params.yaml, by dotted key."""
    present, values = parameters(config), trial.values
    return {
        key: values[key]
        for key, text in sorted(trial.parameters.items())
        if key.split(".")[0] in PROMOTED and key != SEED and text != str(present[key])
    }


def rank(trials: Iterable[Trial], config: Config) -> list[Setting]:
    """Return the settings of these trials, by descending mean accuracy, then by loss."""
    by_values = defaultdict(list)
    for trial in trials:
        by_values[str(overrides(trial, config))].append(trial)
    settings = [make_setting(same, config) for same in by_values.values()]
    return sorted(settings, key=lambda one: (-one.accuracy, one.trials[0].metrics["kept_val_loss"]))


def promote(sweep: str | None, run_id: str | None) -> None:
    """Print the settings. Write the best one, or that of a run, into params.yaml, and print the difference.

    Raises:
        PromotionError: the run can't be promoted, or no run of the sweep can.
    """
    config, card = load_config(), load_card()
    trials = [store.load_trial(run_id)] if run_id else store.load_sweep(sweep)
    name = f"run {run_id}" if run_id else f"sweep {trials[0].tags['mlflow.parentRunId']}"
    reasons = {trial.run_id: objection(trial, config, card) for trial in trials}
    objections = Counter(filter(None, reasons.values()))
    candidates = [trial for trial in trials if not reasons[trial.run_id]]
    if not candidates:
        raise PromotionError(f"{name} can't be promoted: {'; '.join(objections)}")
    present = _present(config, card)
    settings = rank([*candidates, *(trial for trial in present if trial.run_id not in reasons)], config)
    print(f"{name}: {len(trials)} trials, {objections.total()} left out")
    for reason, n_trials in objections.items():
        print(f"  {n_trials}: {reason}")
    validation = select_parts(load_split("validation"), card.parts["validation"], config.train.parts)
    n_digits = int((validation.labels != NO_DIGIT).sum())
    print(*(s.row(n_digits) for i, s in enumerate(settings) if i < N_SHOWN or not s.overrides), sep="\n")
    _write(next(one for one in settings if not run_id or candidates[0] in one.trials))


def _present(config: Config, card: DataCard) -> list[Trial]:
    """Return the run that trained the current weights, or no run if its values differ from params.yaml."""
    weights = Outputs().weights
    trial = store.find_trial(weights) if weights.exists() else None
    return [trial] if trial and not objection(trial, config, card) and not overrides(trial, config) else []


def _write(chosen: Setting) -> None:
    old, new = PARAMS.read_text(), dump(chosen.config)
    if not chosen.overrides:
        print("params.yaml already has these values")
        return
    print(*difflib.unified_diff(old.splitlines(), new.splitlines(), PARAMS.name, PARAMS.name, lineterm=""), sep="\n")
    write_text(PARAMS, new)
    print("params.yaml is written: `dvc repro` rebuilds the pipeline from it")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("sweep", nargs="?", help="run ID of the sweep; the default is the latest")
    source.add_argument("--run", metavar="ID", help="promote the values of this run instead of the best")
    arguments = parser.parse_args()
    try:
        promote(arguments.sweep, arguments.run)
    except InklingError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
