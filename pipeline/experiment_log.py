"""docs/experiment_log.md: what each experiment in conf/experiment should show, and what its latest run shows.

docs/experiment_log.json has the same for the model's card.

python -m pipeline.experiment_log

The figures are those that MLflow has. Accuracy on the test images is measured here, with the weights that the runs
recorded, after all else is done: nothing is chosen by it.
"""

import argparse
import logging
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.base.classes import N_CLASSES
from pipeline.base.errors import DataError, InklingError
from pipeline.base.figures import save_figure
from pipeline.base.files import write_json, write_table, write_text
from pipeline.base.markdown import interval, percent, table
from pipeline.base.paths import CONF, ROOT, Outputs
from pipeline.config.schema import Config
from pipeline.config.values import flatten, load_config, require_checkout
from pipeline.dataset.splits import DataCard, Split, load_card, load_split
from pipeline.evaluation.findings import finding
from pipeline.evaluation.metrics import Answered, measure
from pipeline.evaluation.statistics import mcnemar, shown_p
from pipeline.network.history import Epoch, kept_epoch
from pipeline.reader.model import load_reader, read_all
from pipeline.registry import store
from pipeline.runtime.mode import set_up, use_float32
from pipeline.tracking.runs import uri
from pipeline.training import curves

log = logging.getLogger(__name__)

DOCUMENT = ROOT / "docs" / "experiment_log.md"
BASELINE = "baseline"
DECIDING = ("data", "strokes", "model", "train")  # sections that decide about the weights
SOURCE = "[DigitVision](https://github.com/murodovdev/digit-vision)"


@dataclass(frozen=True, eq=False)
class Result:
    """What became of an experiment.

    Attributes:
        config: its preset.
        run: its latest run with these values.
        history: the figures of its epochs.
        kept: the epoch whose weights were kept.
        figures: of the test images, as `measure` names them.
        is_right: bool ``[n]``, of each test image.
        favourite: the digit that is answered most often, and its share of the answers.
    """

    config: Config
    run: store.Trial
    history: list[Epoch]
    kept: Epoch
    figures: dict[str, float]
    is_right: np.ndarray
    favourite: tuple[int, float]


def presets() -> dict[str, Config]:
    """The experiments by name, the baseline first."""
    require_checkout()
    names = sorted((path.stem for path in (CONF / "experiment").iterdir()), key=lambda name: (name != BASELINE, name))
    return {name: load_config([f"experiment={name}"]) for name in names}


def find_runs(configs: Mapping[str, Config]) -> dict[str, store.Trial]:
    """The latest finished run of each experiment.

    Raises:
        DataError: one has none with the values of its preset; names the command that makes it.
    """
    found = {name: store.find_experiment(name, _deciding(config)) for name, config in configs.items()}
    missing = ",".join(name for name, run in found.items() if run is None)
    if missing:
        raise DataError(
            f"MLflow at {uri()} has no finished run with the values of conf/experiment for {missing}: run\n"
            f"  python -m pipeline.train -m experiment={missing}"
        )
    return {name: run for name, run in found.items() if run}


def _deciding(config: Config) -> dict[str, object]:
    return {key: value for key, value in flatten(config).items() if key.split(".")[0] in DECIDING}


def evaluate_run(config: Config, run: store.Trial, test: Split) -> Result:
    """Measure the weights that a run recorded on test images, from raw pixels, as `evaluate` does."""
    with tempfile.TemporaryDirectory() as directory:
        outputs = Outputs(Path(directory))
        store.fetch_network(run.run_id, outputs)
        reader = load_reader(config.model, outputs)
    answered = Answered(test.labels, read_all(reader, test.images))
    counts = np.bincount(answered.predicted, minlength=N_CLASSES)
    history = store.load_history(run.run_id)
    return Result(
        config=config,
        run=run,
        history=history,
        kept=kept_epoch(history, config.train.patience),
        figures=measure("test", answered, reader.calibration.thresholds),
        is_right=answered.predicted == test.labels,
        favourite=(int(counts.argmax()), float(counts.max() / counts.sum())),
    )


def write_log(results: Mapping[str, Result], card: DataCard, document: Path) -> None:
    """Write the document, and beside it the curves, their data and what the model's card has, under its name.

    Args:
        results: by name, the baseline's among them.
        card: of the images that the baseline was trained on.
        document: Markdown.
    """
    picture, data = document.with_suffix(".png"), document.with_suffix(".csv")
    histories = {name: result.history for name, result in results.items()}
    save_figure(curves.comparison(histories), picture)
    rows = [(name, *astuple(epoch)) for name, history in histories.items() for epoch in history]
    write_table(data, ["experiment", *(field.name for field in fields(Epoch))], rows)
    sections = (
        "# Experiments\n\nWritten by `python -m pipeline.experiment_log` from the runs that MLflow has. Typed by hand "
        "is only what was expected; each run recorded it as it started. The experiments are those that "
        f"{SOURCE} published, with its network; how many epochs, how much patience and which warps it took, it does "
        f"not say. Here `python -m pipeline.train -m 'experiment=glob(*)'` runs them, on {card.train:,} images; "
        f"{card.validation:,} others choose the epoch that is kept. The {card.test:,} test images, read from raw "
        "pixels as the service would, choose nothing; in brackets 95 % intervals (Wilson).",
        _expectations(results),
        _outcomes(results),
        f"![Validation error and losses by epoch]({picture.name})\n\nThe curves' figures: [{data.name}]({data.name}).",
    )
    write_text(document, "\n\n".join(sections) + "\n")
    records = [_record(name, result, results[BASELINE]) for name, result in results.items()]
    write_json(document.with_suffix(".json"), {"experiments": records})


def _expectations(results: Mapping[str, Result]) -> str:
    rows = []
    for name, result in results.items():
        published, accuracy = result.config.experiment.published, result.figures["test_accuracy"]
        rows.append(
            (
                name,
                result.run.parameters["experiment.hypothesis"],
                _changes(result.config, results[BASELINE].config),
                percent(result.kept.val_accuracy),
                interval(result.figures, "test_accuracy", 2),
                "" if published is None else percent(published),
                "" if published is None else f"{100 * (accuracy - published):+.2f}",
                f"{len(result.history)} ({result.kept.epoch})",
                f"{result.run.seconds:.0f}",
            )
        )
    header = ("experiment", "expected", "other than baseline", "validation", "MNIST test", "published",
              "difference, points", "epochs (kept)", "seconds")  # fmt: skip
    return f"{table(header, rows)}\n\n{_agreement(results)}"


def _changes(config: Config, baseline: Config) -> str:
    usual = _deciding(baseline)
    return ", ".join(f"`{key}={value}`" for key, value in _deciding(config).items() if usual[key] != value) or "nothing"


def _agreement(results: Mapping[str, Result]) -> str:
    outside = [
        name
        for name, result in results.items()
        if (published := result.config.experiment.published) is not None
        and not result.figures["test_accuracy_low"] <= published <= result.figures["test_accuracy_high"]
    ]
    return f"The published figure is outside the interval for: {', '.join(outside) or 'none of them'}."


def _outcomes(results: Mapping[str, Result]) -> str:
    baseline = results[BASELINE]
    rows = [
        (
            name,
            "" if result is baseline else _against(result, baseline),
            f"{result.kept.loss:.3f}, {result.kept.val_loss:.3f}",
            f"{result.history[-1].loss:.3f}, {result.history[-1].val_loss:.3f}",
            f"{result.favourite[0]} ({percent(result.favourite[1], 1)})",
            f"{result.run.seconds / len(result.history):.1f}",
            f"`{result.run.run_id[:8]}`",
        )
        for name, result in results.items()
    ]
    header = ("experiment", "MNIST test, against baseline", "losses at the kept epoch", "at the last epoch",
              "most frequent answer", "seconds an epoch", "run")  # fmt: skip
    return (
        "## What came out\n\nLosses are of training, in which features are dropped and images warped, and of "
        "validation. The comparison is on the same test images: p is that of an exact McNemar test, and knows nothing "
        "of how much another seed would change.\n\n" + table(header, rows)
    )


def _against(result: Result, baseline: Result) -> str:
    n_better, n_worse, p = mcnemar(result.is_right, baseline.is_right)
    points = 100 * (n_better - n_worse) / len(result.is_right)
    return f"{points:+.2f} points: {n_better:,} right here alone, {n_worse:,} there alone, {shown_p(p)}"


def _record(name: str, result: Result, baseline: Result) -> dict[str, Any]:
    """An experiment as the model's card has it."""
    config, figures = result.config, result.figures
    seconds, usual = (one.run.seconds / len(one.history) for one in (result, baseline))
    compared = None if result is baseline else (baseline.is_right, usual)
    return {
        "experiment": name,
        "hypothesis": result.run.parameters["experiment.hypothesis"],
        "learning_rate": config.train.learning_rate,
        "batch_size": config.train.batch_size,
        "dropout": config.model.dropout,
        "augmentation": any(config.train.augment.model_dump().values()),
        "batchnorm": config.model.batchnorm,
        "val_accuracy": round(result.kept.val_accuracy, 6),
        **{key: figures[key] for key in ("test_accuracy", "test_accuracy_low", "test_accuracy_high")},
        "published": config.experiment.published,
        "epochs": len(result.history),
        "seconds": round(result.run.seconds, 1),
        "finding": finding(result.is_right, result.history, seconds, result.favourite, compared),
    }


def main() -> None:
    """The command line."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
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
    log.info("%s tells of %d experiments", DOCUMENT.relative_to(ROOT), len(configs))


if __name__ == "__main__":
    main()
