"""Stage 4: measure the whole graph, from raw pixels to the answer, on held-out data.

The results do not decide about any setting.
"""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from pipeline.base.classes import N_CLASSES
from pipeline.base.figures import save_figure
from pipeline.base.files import read_json, write_json, write_table
from pipeline.base.paths import Outputs
from pipeline.config.schema import Config
from pipeline.dataset.cells import REFERENCE
from pipeline.dataset.splits import load_split
from pipeline.evaluation import plots
from pipeline.evaluation.learning import measure_memory, split_by_writer
from pipeline.evaluation.metrics import (
    N_OFFICIAL,
    Answered,
    confusion_matrix,
    measure,
    references,
    without_disputed,
)
from pipeline.evaluation.mistakes import details, network_input, worst_mistakes
from pipeline.evaluation.numbers import measure_numbers
from pipeline.evaluation.refusal import held_out_shares, measure_refusal, read_held_out
from pipeline.evaluation.robustness import measure_robustness
from pipeline.evaluation.statistics import reliability
from pipeline.evaluation.steps import measure_steps
from pipeline.evaluation.strokes import average, load_test_drawings, measure_cells, read_cells
from pipeline.reader.model import load_reader, read_all
from pipeline.runtime.mode import set_up, use_float32
from pipeline.runtime.stage import run_stage
from pipeline.tracking import runs
from serving.numbers.weights import NumberWeights

log = logging.getLogger(__name__)

N_WORST = 50  # mistakes in plots/mistakes.png
# The DVC metrics: figures of metrics/train.json and metrics/test.json, and their names, which fit 120 columns.
MAIN = {
    "val_accuracy": "val_accuracy",
    "test_accuracy": "test_accuracy",
    "test_refused": "test_refused",
    "strokes_accuracy": "strokes_accuracy",
    "strokes_worst_accuracy": "strokes_worst",
    "refused_letters": "refused_letters",
}


def evaluate(config: Config) -> None:
    """Measure the trained reader on held-out data. Write metrics and plots, and log them to the training run."""
    outputs = Outputs()
    set_up(config.runtime, config.train.seed)
    use_float32()
    reader = load_reader(config.model, outputs)
    thresholds, weights = reader.calibration.thresholds, NumberWeights(**config.number.model_dump())
    test, drawings = load_split("test"), load_test_drawings()

    mnist = Answered(test.labels, read_all(reader, test.images))
    cells = read_cells(reader, drawings)
    strokes = measure_cells(cells, thresholds)
    refusal = measure_refusal(reader, drawings, config.evaluate.nondigits)
    # One cell only: the others contain the same drawings, which would make the intervals of the bins too narrow.
    tests = {"MNIST": mnist} | ({"pen strokes": cells[REFERENCE]} if cells else {})
    bins = {source: reliability(tested.answers["probabilities"], tested.labels) for source, tested in tests.items()}
    mistakes = worst_mistakes(tests, thresholds)
    writers = split_by_writer(cells[REFERENCE]) if cells else []
    others = read_held_out(reader, drawings, config.evaluate.nondigits)
    is_official = config.data.source == "mnist" and len(test.labels) == N_OFFICIAL
    metrics: dict[str, dict[str, Any]] = {
        "test": measure("test", mnist, thresholds)
        | (without_disputed(mnist) if is_official else {})
        | references(mnist, thresholds)
        | average(strokes)
        | held_out_shares(refusal),
        "strokes": strokes,
        "refusal": refusal,
        "robustness": measure_robustness(reader, test),
        "steps": measure_steps(reader.network, drawings),
        "numbers": measure_numbers(partial(read_all, reader), drawings, weights, thresholds),
        "memory": measure_memory(writers, others, config.memory.model_dump(), thresholds),
        "details": details(tests, bins, mistakes),
    }
    measured = read_json(outputs.metrics("train"), made_by="train") | metrics["test"]
    metrics["main"] = {short: round(measured[name], 6) for name, short in MAIN.items() if name in measured}
    for name, figures in metrics.items():
        write_json(outputs.metrics(name), figures)
    _log(metrics)

    worst = mistakes[:N_WORST]
    pictures = {
        "reliability": plots.reliability(bins),
        "refusal": plots.refusal(refusal["families"]),
        "robustness": plots.robustness(metrics["robustness"]),
        "mistakes": plots.mistakes(worst, [network_input(tests, mistake) for mistake in worst]),
    }
    files = []
    strokes_or_none = cells.get(REFERENCE, Answered(mnist.labels[:0], {"probabilities": np.zeros((0, N_CLASSES))}))
    for name, title, tested in (("confusion", "MNIST", mnist), ("confusion_strokes", "Pen strokes", strokes_or_none)):
        pictures[name] = plots.confusion(confusion_matrix(tested), title)
        files.append(outputs.plot(f"{name}.csv"))  # DVC draws it
        pairs = zip(tested.labels.tolist(), tested.predicted.tolist(), strict=True)
        write_table(files[-1], ("actual", "predicted"), list(pairs))
    for name, figure in pictures.items():
        files.append(outputs.plot(f"{name}.png"))
        save_figure(figure, files[-1])
    with runs.resume_run(outputs) as run:
        run.log_metrics(metrics["test"])
        run.log_plots(*files)


def _log(metrics: Mapping[str, Mapping[str, Any]]) -> None:
    test = {name: 100 * value for name, value in metrics["test"].items()}
    log.info(
        "MNIST: test accuracy %.2f %% (95 %% interval %.2f to %.2f), %d errors; %.2f %% refused",
        test["test_accuracy"], test["test_accuracy_low"], test["test_accuracy_high"],
        metrics["test"]["test_errors"], test["test_refused"],
    )  # fmt: skip
    if metrics["strokes"]:
        log.info(
            "pen strokes: accuracy %.2f %% on average, %.2f %% in the worst of %d renderings; %.2f %% refused",
            test["strokes_accuracy"], test["strokes_worst_accuracy"], len(metrics["strokes"]), test["strokes_refused"],
        )  # fmt: skip


if __name__ == "__main__":
    run_stage(evaluate)
