"""Stage 4: what the whole graph, raw pixels to answer, achieves on the test images. Nothing is chosen here."""

import logging

import numpy as np
from scipy.stats import binomtest

from pipeline import plots, tracking
from pipeline.calibration import expected_calibration_error
from pipeline.config import Config
from pipeline.data import load_split, write_json, write_table
from pipeline.paths import Outputs
from pipeline.reader import load_reader, read_all
from pipeline.runtime import set_up, use_float32
from pipeline.stage import run_stage

log = logging.getLogger(__name__)


def evaluate(config: Config) -> None:
    """Measure the trained reader on the test images; write metrics, the confusion matrix, and add them to its run."""
    outputs = Outputs()
    set_up(config.runtime, config.train.seed)
    use_float32()
    test = load_split("test")
    answers = read_all(load_reader(config.model, outputs), test.images)
    metrics = measure(answers, test.labels)
    predicted = answers["probabilities"].argmax(axis=1)
    write_json(outputs.metrics("test"), metrics)
    _write_confusion(test.labels, predicted, outputs)
    with tracking.resume_run(outputs.weights) as run:
        run.log_metrics(metrics)
        run.log_plots(outputs.plot("confusion.csv"), outputs.plot("confusion.png"))
    log.info(
        "test accuracy %.2f %% (95 %% interval %.2f to %.2f), %d of %d wrong",
        *(100 * metrics[name] for name in ("test_accuracy", "test_accuracy_low", "test_accuracy_high")),
        metrics["test_errors"], len(test.labels),
    )  # fmt: skip


def measure(answers: dict[str, np.ndarray], labels: np.ndarray) -> dict[str, float]:
    """Figures of a set of answers.

    Args:
        answers: as `Reader.read` gives them, for n images.
        labels: int32 ``[n]``.

    Returns:
        ``test_accuracy`` with its 95 % interval (Wilson, 1927) ``test_accuracy_low`` and ``_high``; ``test_errors``;
        ``test_loss``, the cross-entropy in nats; ``test_ece``, the expected calibration error.
    """
    probabilities = answers["probabilities"]
    n_right = int((probabilities.argmax(axis=1) == labels).sum())
    interval = binomtest(n_right, len(labels)).proportion_ci(0.95, method="wilson")
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return {
        "test_accuracy": n_right / len(labels),
        "test_accuracy_low": round(interval.low, 6),
        "test_accuracy_high": round(interval.high, 6),
        "test_errors": len(labels) - n_right,
        "test_loss": round(float(-np.log(np.maximum(of_label, 1e-12)).mean()), 6),
        "test_ece": round(expected_calibration_error(probabilities, labels), 6),
    }


def _write_confusion(labels: np.ndarray, predicted: np.ndarray, outputs: Outputs) -> None:
    pairs = list(zip(labels.tolist(), predicted.tolist(), strict=True))
    write_table(outputs.plot("confusion.csv"), ("actual", "predicted"), pairs)
    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (labels, predicted), 1)
    plots.save_figure(plots.confusion(matrix), outputs.plot("confusion.png"))


if __name__ == "__main__":
    run_stage(evaluate)
