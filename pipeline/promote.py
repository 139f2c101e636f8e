"""Write the best values of a sweep into params.yaml.

python -m pipeline.promote                 of the latest sweep
python -m pipeline.promote SWEEP           of the sweep with this run ID
python -m pipeline.promote --run ID        the values of another run
python -m pipeline.promote --dry-run       show the change without writing it

Trials that differ only in their seed are one setting. Settings are ranked by their mean validation accuracy, together
with the present one. params.yaml keeps its seed.
"""

import argparse
import difflib
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from json import loads
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from pipeline.base.errors import ConfigError, InklingError, PromotionError
from pipeline.base.files import file_sha256, write_text
from pipeline.base.paths import ROOT, Outputs
from pipeline.config.schema import Config
from pipeline.config.values import check, dump, load_config
from pipeline.dataset.splits import NO_DIGIT, DataCard, load_card, load_split, select_parts
from pipeline.evaluation.statistics import wilson
from pipeline.registry import store
from pipeline.registry.store import Trial
from pipeline.tracking.runs import DATA_TAG, parameters

PARAMS = ROOT / "params.yaml"
METRIC = "kept_val_accuracy"
# Sections that are taken over. `data` and `strokes` have to be equal; `runtime` depends on the machine.
PROMOTED = ("model", "train", "decision")
SEED = "train.seed"
N_SHOWN = 10


@dataclass(frozen=True)
class Setting:
    """Trials with the same values.

    Attributes:
        overrides: values that differ from params.yaml, by dotted key.
        config: params.yaml with these values.
        trials: at least one; several differ in their seed.
    """

    overrides: dict[str, Any]
    config: Config
    trials: Sequence[Trial]

    @property
    def accuracies(self) -> list[float]:
        """Validation accuracy with each seed."""
        return list({trial.parameters[SEED]: trial.metrics[METRIC] for trial in self.trials}.values())

    @property
    def accuracy(self) -> float:
        """Mean validation accuracy."""
        return statistics.mean(self.accuracies)

    def spread(self, n_digits: int) -> str:
        """Return the standard deviation over seeds in words, or with one seed the 95 % interval of its accuracy.

        Args:
            n_digits: number of validation images of digits.
        """
        if len(self.accuracies) > 1:
            return f"sd {100 * statistics.stdev(self.accuracies):.2f} of {len(self.accuracies)} seeds"
        low, high = wilson(round(self.accuracy * n_digits), n_digits)
        return f"{100 * low:.2f} to {100 * high:.2f}"


def objection(trial: Trial, config: Config, card: DataCard) -> str | None:
    """Return why the values of a run can't be taken over; None if they can."""
    if trial.status != "FINISHED":
        return f"it is {trial.status}"
    if "pruned" in trial.tags:
        return "it was pruned by the search"
    if METRIC not in trial.metrics:
        return f"it has no {METRIC}"
    if loads(trial.tags.get(DATA_TAG, "null")) != card.sha256:
        return (
            "its data is not data/prepared: sweep again, or put its `data` and `strokes` into params.yaml and run "
            "`dvc repro prepare`"
        )
    own = parameters(config)
    if unknown := trial.parameters.keys() ^ own.keys():
        return f"params.yaml and the run don't both have {', '.join(sorted(unknown))}"
    if trial.parameters["train.parts"] != str(own["train.parts"]):
        return "it was validated on other parts of the data (train.parts)"
    try:
        setting([trial], config)
    except ConfigError as error:
        return str(error)
    return None


def setting(trials: Sequence[Trial], config: Config) -> Setting:
    """Return params.yaml with the values of these trials.

    Args:
        trials: with the same values, except for their seeds.
        config: params.yaml.

    Raises:
        ConfigError: a value is not allowed.
    """
    overrides = {key: trials[0].values[key] for key, _ in differences(trials[0], config)}
    values = OmegaConf.create(config.model_dump())
    for key, value in overrides.items():
        OmegaConf.update(values, key, value)
    return Setting(overrides, check(values), trials)


def differences(trial: Trial, config: Config) -> tuple[tuple[str, str], ...]:
    """Return the parameters of a run that differ from params.yaml."""
    present = parameters(config)
    return tuple(
        (key, text)
        for key, text in sorted(trial.parameters.items())
        if key.split(".")[0] in PROMOTED and key != SEED and text != str(present[key])
    )


def rank(trials: Iterable[Trial], config: Config) -> list[Setting]:
    """Return the settings of these trials, by descending mean accuracy, then by loss."""
    by_values = defaultdict(list)
    for trial in trials:
        by_values[differences(trial, config)].append(trial)
    settings = [setting(same, config) for same in by_values.values()]
    return sorted(settings, key=lambda one: (-one.accuracy, one.trials[0].metrics["kept_val_loss"]))


def promote(sweep: str | None, run_id: str | None, is_dry_run: bool) -> None:
    """Print the settings, write the best one or that of a run into params.yaml, and print the difference.

    Args:
        sweep: run ID of its parent; None for the latest.
        run_id: of the run to promote; None for the best of the sweep and the present values.
        is_dry_run: write nothing.

    Raises:
        PromotionError: the run can't be promoted, or no run of the sweep can.
    """
    config, card = load_config(), load_card()
    if run_id:
        name, trials = f"run {run_id}", [store.load_trial(run_id)]
    else:
        sweep = sweep or store.latest_sweep()
        name, trials = f"sweep {sweep}", store.load_sweep(sweep)
    objections = {trial.run_id: objection(trial, config, card) for trial in trials}
    reasons = Counter(reason for reason in objections.values() if reason)
    candidates = [trial for trial in trials if not objections[trial.run_id]]
    if not candidates:
        raise PromotionError(f"{name} can't be promoted: {'; '.join(reasons)}")
    present = _made_weights(config, card)
    settings = rank([*candidates, *(trial for trial in present if trial.run_id not in objections)], config)
    print(f"{name}: {len(trials)} trials, {len(trials) - len(candidates)} left out")
    for reason, n_trials in reasons.items():
        print(f"  {n_trials}: {reason}")
    validation = select_parts(load_split("validation"), card.parts["validation"], config.train.parts)
    _print_table(settings, int(np.count_nonzero(validation.labels != NO_DIGIT)))
    _write(next(one for one in settings if not run_id or candidates[0] in one.trials), is_dry_run)


def _made_weights(config: Config, card: DataCard) -> list[Trial]:
    """Return the run that made the weights of `dvc repro`, if it had the values of params.yaml."""
    weights = Outputs().weights
    trial = store.find_trial(file_sha256(weights)) if weights.exists() else None
    return [trial] if trial and not objection(trial, config, card) and not differences(trial, config) else []


def _print_table(settings: Sequence[Setting], n_digits: int) -> None:
    """Print the best settings, and that of params.yaml at any rank."""
    rows = [("run", "accuracy", "spread", "seconds", "weights", "values")]
    for place, one in enumerate(settings):
        if place < N_SHOWN or not one.overrides:
            rows.append(
                (
                    one.trials[0].run_id,
                    f"{100 * one.accuracy:.2f} %",
                    one.spread(n_digits),
                    f"{statistics.mean(trial.seconds for trial in one.trials):.0f}",
                    f"{one.trials[0].metrics['n_weights']:,.0f}",
                    " ".join(f"{key}={value}" for key, value in one.overrides.items()) or "(as in params.yaml)",
                )
            )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if all(one.overrides for one in settings):
        print("the values of params.yaml were not run on this data")


def _write(chosen: Setting, is_dry_run: bool) -> None:
    old, new = PARAMS.read_text(), dump(chosen.config)
    if not chosen.overrides:
        print("params.yaml already has these values")
        return
    print(*difflib.unified_diff(old.splitlines(), new.splitlines(), PARAMS.name, PARAMS.name, lineterm=""), sep="\n")
    if is_dry_run:
        print("nothing was written")
        return
    write_text(PARAMS, new)
    print("params.yaml is written: `dvc repro` rebuilds the pipeline from it")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("sweep", nargs="?", help="run ID of the sweep's parent; the default is the latest")
    source.add_argument("--run", metavar="ID", help="promote the values of this run instead of the best")
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    try:
        promote(arguments.sweep, arguments.run, arguments.dry_run)
    except InklingError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
