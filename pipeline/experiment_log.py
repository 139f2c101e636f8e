"""Write docs/experiment_log.md: hypothesis and result of each experiment in conf/experiment.

python -m pipeline.experiment_log

The metrics come from the latest runs in MLflow. Only the test accuracy is measured here, with the recorded weights. No
choice depends on it.
"""

import argparse
import logging
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.base.errors import DataError, InklingError
from pipeline.base.figures import save_figure
from pipeline.base.files import write_text
from pipeline.base.markdown import interval, percent, table
from pipeline.base.paths import CONF, ROOT, Outputs
from pipeline.config.schema import Config
from pipeline.config.values import flatten, load_config, require_checkout
from pipeline.dataset.splits import DataCard, Split, load_card, load_split
from pipeline.evaluation.metrics import Answered, measure
from pipeline.evaluation.statistics import compare, format_p
from pipeline.network.history import Epoch, kept_epoch
from pipeline.reader.model import load_reader, read_all
from pipeline.registry import store
from pipeline.runtime.mode import set_up, use_float32
from pipeline.tracking.store import uri
from pipeline.training import curves

log = logging.getLogger(__name__)

DOCUMENT = ROOT / "docs" / "experiment_log.md"
BASELINE = "baseline"
WEIGHT_SECTIONS = ("data", "strokes", "model", "train")  # sections that determine the weights


@dataclass(frozen=True, eq=False)
class Result:
    """Result of an experiment: its preset, the latest run of this preset, and metrics of the test images."""

    config: Config
    run: store.Trial
    history: list[Epoch]
    kept: Epoch
    figures: dict[str, float]  # named as in `measure`
    is_right: np.ndarray  # bool [n]


def presets() -> dict[str, Config]:
    """Return the configuration of each experiment by name, the baseline first."""
    require_checkout()
    names = sorted((path.stem for path in (CONF / "experiment").iterdir()), key=lambda name: (name != BASELINE, name))
    return {name: load_config([f"experiment={name}"]) for name in names}


def find_runs(configs: Mapping[str, Config]) -> dict[str, store.Trial]:
    """Return the latest finished run of each experiment.

    Raises:
        DataError: an experiment has no such run; the message names the command that makes one.
    """
    found = {name: store.find_experiment(name, _weight_parameters(config)) for name, config in configs.items()}
    missing = ",".join(name for name, run in found.items() if run is None)
    if missing:
        raise DataError(
            f"MLflow at {uri()} has no finished run with the values of conf/experiment for {missing}: run\n"
            f"  python -m pipeline.train -m experiment={missing}"
        )
    return {name: run for name, run in found.items() if run}


def _weight_parameters(config: Config) -> dict[str, object]:
    return {key: value for key, value in flatten(config).items() if key.split(".")[0] in WEIGHT_SECTIONS}


def evaluate_run(config: Config, run: store.Trial, test: Split) -> Result:
    """Measure the recorded weights of a run on test images, from raw pixels, like `evaluate`."""
    with tempfile.TemporaryDirectory() as directory:
        outputs = Outputs(Path(directory))
        store.fetch_network(run.run_id, outputs)
        reader = load_reader(config.model, outputs)
    answered = Answered(test.labels, read_all(reader, test.images))
    history = store.load_history(run.run_id)
    kept = kept_epoch(history, config.train.patience)
    figures = measure("test", answered, reader.calibration.thresholds)
    return Result(config, run, history, kept, figures, answered.is_right)


def write_log(results: Mapping[str, Result], card: DataCard, document: Path) -> None:
    """Write the document, and a plot of the learning curves beside it.

    `results` must contain the baseline. `card` describes its training images.
    """
    picture = document.with_suffix(".png")
    save_figure(curves.comparison({name: result.history for name, result in results.items()}), picture)
    sections = (
        "# Experiments\n\n`python -m pipeline.experiment_log` writes this page from the runs in MLflow. Only the "
        "expectations are typed by hand, and each run recorded its own when it started. "
        "[DigitVision](https://github.com/murodovdev/digit-vision) published these experiments and their network, but "
        "not the number of epochs, the patience and the ranges of the warps. `python -m pipeline.train -m "
        f"'experiment=glob(*)'` runs them on {card.train:,} images; {card.validation:,} other images choose the epoch "
        f"to keep. The {card.test:,} test images are read from raw pixels, as the service does, and decide about "
        "nothing. Brackets contain 95 % intervals (Wilson).",
        _expectations(results),
        _outcomes(results),
        f"![Validation error and losses by epoch]({picture.name})",
    )
    write_text(document, "\n\n".join(sections) + "\n")


def _expectations(results: Mapping[str, Result]) -> str:
    rows, outside, usual = [], [], _weight_parameters(results[BASELINE].config)
    for name, result in results.items():
        changes = (
            f"`{key}={value}`" for key, value in _weight_parameters(result.config).items() if usual[key] != value
        )
        published = result.config.experiment.published
        accuracy, low, high = (result.figures[f"test_accuracy{end}"] for end in ("", "_low", "_high"))
        compared = ("", "") if published is None else (percent(published), f"{100 * (accuracy - published):+.2f}")
        if published is not None and not low <= published <= high:
            outside.append(name)
        rows.append((
            name, result.run.parameters["experiment.hypothesis"], ", ".join(changes) or "nothing",
            percent(result.kept.val_accuracy), interval(result.figures, "test_accuracy", 2), *compared,
            f"{len(result.history)} ({result.kept.epoch})", f"{result.run.seconds:.0f}",
        ))  # fmt: skip
    header = ("experiment", "expected", "other than baseline", "validation", "MNIST test", "published",
              "difference, points", "epochs (kept)", "seconds")  # fmt: skip
    agreement = f"The published figure is outside the interval for: {', '.join(outside) or 'none of them'}."
    return f"{table(header, rows)}\n\n{agreement}"


def _outcomes(results: Mapping[str, Result]) -> str:
    rows = []
    for name, result in results.items():
        n_better, n_worse, points, p = compare(result.is_right, results[BASELINE].is_right)
        against = f"{points:+.2f} points: {n_better:,} right only here, {n_worse:,} only there, {format_p(p)}"
        losses = [f"{epoch.loss:.3f}, {epoch.val_loss:.3f}" for epoch in (result.kept, result.history[-1])]
        rows.append((name, "" if name == BASELINE else against, *losses, f"`{result.run.run_id[:8]}`"))
    header = ("experiment", "MNIST test, against baseline", "losses at the kept epoch", "at the last epoch", "run")
    return (
        "## Results\n\nThe first loss is of training, with dropout and warped images, the second of validation. The "
        "comparison is on the same test images: p is that of an exact McNemar test, which does not include the spread "
        "over seeds.\n\n" + table(header, rows)
    )


def main() -> None:
    """Evaluate the runs and write the log."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        configs = presets()
        runs, test = find_runs(configs), load_split("test")
        set_up(configs[BASELINE].runtime, configs[BASELINE].train.seed)
        use_float32()
        results = {name: evaluate_run(config, runs[name], test) for name, config in configs.items()}
        write_log(results, load_card().restrict_to(configs[BASELINE].train.parts), DOCUMENT)
    except InklingError as error:
        sys.exit(f"error: {error}")
    log.info("wrote %s with %d experiments", DOCUMENT.relative_to(ROOT), len(configs))


if __name__ == "__main__":
    argparse.ArgumentParser(usage=__doc__).parse_args()
    main()
