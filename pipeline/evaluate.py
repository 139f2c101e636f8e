"""Stage 4: what the whole graph, raw pixels to answer, achieves on what was kept apart. Nothing is chosen here."""

import logging
from collections.abc import Sequence

import numpy as np
from scipy.stats import binomtest

from pipeline import plots, tracking
from pipeline.calibration import expected_calibration_error
from pipeline.config import Config
from pipeline.data import load_split, read_arrays, write_json, write_table
from pipeline.paths import PREPARED, Outputs
from pipeline.reader import Reader, load_reader, read_all
from pipeline.refusal_rates import measure_refusal
from pipeline.runtime import set_up, use_float32
from pipeline.stage import run_stage
from pipeline.stroke_accuracy import CELLS, read_drawings
from pipeline.unipen import Drawing, unpack

log = logging.getLogger(__name__)


def evaluate(config: Config) -> None:
    """Measure the trained reader on what was kept apart; write metrics and confusion matrix; add them to its run."""
    outputs = Outputs()
    set_up(config.runtime, config.train.seed)
    use_float32()
    reader = load_reader(config.model, outputs)
    test = load_split("test")
    probabilities = read_all(reader, test.images)["probabilities"]
    metrics = measure("test", probabilities, test.labels)
    _write_confusion(test.labels, probabilities.argmax(axis=1), outputs)
    _log_accuracy("MNIST", metrics, "test")

    cells = _measure_strokes(reader, unpack(read_arrays(PREPARED / "test_drawings.npz", made_by="prepare")))
    if cells:
        accuracies = {name: figures["strokes_accuracy"] for name, figures in cells.items()}
        worst = min(accuracies, key=lambda name: accuracies[name])
        metrics |= {
            "strokes_accuracy": round(float(np.mean(list(accuracies.values()))), 6),
            "strokes_worst_accuracy": accuracies[worst],
            "strokes_ece": round(float(np.mean([figures["strokes_ece"] for figures in cells.values()])), 6),
        }
        log.info("pen strokes: %.2f %% on average, worst %s", 100 * metrics["strokes_accuracy"], worst)
    write_json(outputs.metrics("test"), metrics)
    write_json(outputs.metrics("strokes"), cells)
    refusal = measure_refusal(reader)
    write_json(outputs.metrics("refusal"), refusal)
    called_digits = float(np.mean([states["digit"] for states in refusal.values()]))
    log.info("things that are no digit: %.1f %% called a digit, families averaged", 100 * called_digits)
    with tracking.resume_run(outputs.weights) as run:
        run.log_metrics(metrics)
        run.log_metrics({f"{family}.digit": states["digit"] for family, states in refusal.items()})
        run.log_metrics({f"{cell}.{name}": value for cell, figures in cells.items() for name, value in figures.items()})
        run.log_plots(outputs.plot("confusion.csv"), outputs.plot("confusion.png"))


def _measure_strokes(reader: Reader, drawings: Sequence[Drawing]) -> dict[str, dict[str, float]]:
    """Figures of each cell; none where there are no drawings."""
    labels = np.array([drawing.label for drawing in drawings], np.int32)
    figures = {}
    for cell in CELLS if drawings else ():
        figures[cell.name] = measure("strokes", read_drawings(reader, drawings, cell)["probabilities"], labels)
        _log_accuracy(cell.name, figures[cell.name], "strokes")
    return figures


def _log_accuracy(what: str, metrics: dict[str, float], name: str) -> None:
    accuracy, low, high = (100 * metrics[f"{name}_accuracy{end}"] for end in ("", "_low", "_high"))
    errors = metrics[f"{name}_errors"]
    log.info("%s: test accuracy %.2f %% (95 %% interval %.2f to %.2f), %d wrong", what, accuracy, low, high, errors)


def measure(name: str, probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Figures of a set of answers.

    Args:
        name: what the figures' names begin with.
        probabilities: float ``[n, 10]``.
        labels: int32 ``[n]``.

    Returns:
        ``<name>_accuracy`` with its 95 % interval (Wilson, 1927) ``_accuracy_low`` and ``_accuracy_high``; ``_errors``;
        ``_loss``, the cross-entropy in nats; ``_ece``, the expected calibration error.
    """
    n_right = int((probabilities.argmax(axis=1) == labels).sum())
    interval = binomtest(n_right, len(labels)).proportion_ci(0.95, method="wilson")
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return {
        f"{name}_accuracy": round(n_right / len(labels), 6),
        f"{name}_accuracy_low": round(interval.low, 6),
        f"{name}_accuracy_high": round(interval.high, 6),
        f"{name}_errors": len(labels) - n_right,
        f"{name}_loss": round(float(-np.log(np.maximum(of_label, 1e-12)).mean()), 6),
        f"{name}_ece": round(expected_calibration_error(probabilities, labels), 6),
    }


def _write_confusion(labels: np.ndarray, predicted: np.ndarray, outputs: Outputs) -> None:
    pairs = list(zip(labels.tolist(), predicted.tolist(), strict=True))
    write_table(outputs.plot("confusion.csv"), ("actual", "predicted"), pairs)
    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (labels, predicted), 1)
    plots.save_figure(plots.confusion(matrix), outputs.plot("confusion.png"))


if __name__ == "__main__":
    run_stage(evaluate)
