"""Compare the settings of a sweep over their seeds.

python -m pipeline.compare            the latest sweep
python -m pipeline.compare SWEEP      the sweep with this run ID

Trials that differ only in their seed are one setting. Each setting has its mean validation accuracy with a 95 %
interval, and a paired comparison with the best setting: the difference on the seeds that both have.
The run of the sweep gets the table and a picture.
"""

import argparse
import statistics
import sys
import textwrap
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from pipeline.base.errors import InklingError
from pipeline.base.files import write_table
from pipeline.base.paths import OUTPUTS

if TYPE_CHECKING:  # Hydra imports this module in every training, for `Summary`
    from matplotlib.figure import Figure

    from pipeline.registry.store import Trial

SEED = "train.seed"
HEADER = ("values", "accuracy", "low", "high", "n_seeds", "difference", "p", "seconds")


@dataclass(frozen=True)
class Setting:
    """Trials with the same values, except for the seed."""

    values: str  # those that differ between the settings
    trials: Sequence["Trial"]  # at least one, the latest first

    @property
    def accuracies(self) -> dict[str, float]:
        """Validation accuracy, 0 to 1, by seed. The latest trial of a seed counts."""
        return {trial.parameters.get(SEED, ""): trial.accuracy for trial in reversed(self.trials)}

    @property
    def accuracy(self) -> float:
        """Mean validation accuracy over the seeds."""
        return statistics.mean(self.accuracies.values())

    @property
    def seconds(self) -> float:
        """Mean duration of a training."""
        return statistics.mean(trial.seconds for trial in self.trials)


def group(trials: Sequence["Trial"]) -> list[Setting]:
    """Return the settings of the trials that have a result, best first."""
    texts = defaultdict(set)
    for trial in trials:
        for key, text in trial.parameters.items():
            texts[key].add(text)
    swept = sorted(key for key in texts if len(texts[key]) > 1 and key != SEED)
    groups = defaultdict[str, list["Trial"]](list)
    for trial in [trial for trial in trials if not trial.failure]:
        groups[" ".join(f"{key}={trial.parameters.get(key)}" for key in swept)].append(trial)
    settings = [Setting(values or "(no value differs)", same) for values, same in groups.items()]
    return sorted(settings, key=lambda one: -one.accuracy)


def mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % interval of a mean by Student's t distribution, or None for one value."""
    if len(values) < 2:
        return None
    from scipy.stats import t

    half = t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    return statistics.mean(values) - half, statistics.mean(values) + half


def paired(one: Setting, best: Setting) -> tuple[float, float] | None:
    """Return the mean difference to the best setting on common seeds, and the p-value of a paired t-test.

    Return None if they have fewer than two seeds in common, or if all differences are equal.
    """
    seeds = sorted(one.accuracies.keys() & best.accuracies.keys())
    differences = [one.accuracies[seed] - best.accuracies[seed] for seed in seeds]
    if len(set(differences)) < 2:
        return None
    from scipy.stats import ttest_rel

    test = ttest_rel([one.accuracies[seed] for seed in seeds], [best.accuracies[seed] for seed in seeds])
    return statistics.mean(differences), float(test.pvalue)


def summarize(sweep: str | None = None) -> None:
    """Print the settings of a sweep as a table, and add the table and a picture to its run."""
    from pipeline.base.figures import save_figure
    from pipeline.registry import store

    trials = store.load_sweep(sweep)
    run_id, settings = trials[0].tags["mlflow.parentRunId"], group(trials)
    failures = Counter(trial.failure for trial in trials if trial.failure)
    print(
        f"\n{len(trials)} trials, {failures.total()} left out",
        *(f"  {n}: {reason}" for reason, n in failures.items()),
        sep="\n",
    )
    if settings:
        print(f"{'accuracy':>9}  {'95 % interval':<26}{'to the best, paired':<25}{'time':>8}  values")
        print(*(_line(one, settings[0]) for one in settings), sep="\n")
        directory = OUTPUTS / "compare" / run_id
        write_table(directory / "settings.csv", HEADER, [_row(one, settings[0]) for one in settings])
        save_figure(plot(settings), directory / "settings.png")
        store.log_files(run_id, "comparison", directory / "settings.csv", directory / "settings.png")
    print(f"The sweep in MLflow: {store.address_of(trials[0].experiment, run_id)}")
    if settings:
        print(f"Next: `python -m pipeline.promote {run_id}` writes the best values into params.yaml")


class Summary(Callback):
    """Callback in conf/config.yaml that prints the results at the end of a sweep."""

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Print the results of the latest sweep; an error of the store does not undo it."""
        try:
            summarize()
        except InklingError as error:
            print(f"the results are not shown: {error}")


def _line(one: Setting, best: Setting) -> str:
    interval, difference = mean_interval([*one.accuracies.values()]), paired(one, best)
    n_seeds = len(one.accuracies)
    spread = "{:.2%} to {:.2%} ({})".format(*interval, n_seeds) if interval else "one seed"
    from pipeline.evaluation.statistics import format_p

    compared = f"{100 * difference[0]:+.2f} points, {format_p(difference[1])}" if difference else "-"
    return fold(f"{one.accuracy:>9.2%}  {spread:<26}{compared:<25}{one.seconds:>6,.0f} s  {one.values}")


def fold(row: str) -> str:
    """Break a row of a printed table into lines of at most 120 columns."""
    return textwrap.fill(row, 120, subsequent_indent=" " * 11, break_long_words=False, break_on_hyphens=False)


def _row(one: Setting, best: Setting) -> Sequence[object]:
    interval, difference = mean_interval([*one.accuracies.values()]), paired(one, best)
    n_seeds = len(one.accuracies)
    return one.values, one.accuracy, *(interval or ("", "")), n_seeds, *(difference or ("", "")), round(one.seconds, 1)


def plot(settings: Sequence[Setting]) -> "Figure":
    """Plot the accuracy of each seed, and mean and interval of each setting, best at the top."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 1.2 + 0.4 * len(settings)), layout="constrained")
    axes = figure.subplots()
    for row, one in enumerate(reversed(settings)):
        accuracies = [100 * accuracy for accuracy in one.accuracies.values()]
        axes.plot(accuracies, [row] * len(accuracies), "o", color="grey", alpha=0.6)
        low, high = mean_interval(accuracies) or (100 * one.accuracy,) * 2
        axes.plot([low, high], [row, row], color="C0", linewidth=2)
        axes.plot(100 * one.accuracy, row, "D", color="C0")
    axes.set_yticks(range(len(settings)), [one.values for one in reversed(settings)], fontsize="small")
    axes.set(
        xlabel="validation accuracy, %: seeds (circles), mean and its 95 % interval", ylim=(-0.6, len(settings) - 0.4)
    )
    axes.grid(alpha=0.3)
    return figure


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", nargs="?", help="run ID of the sweep; the default is the latest")
    try:
        summarize(parser.parse_args().sweep)
    except InklingError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
