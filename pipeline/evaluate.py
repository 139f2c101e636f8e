"""Stage 4: measure the whole graph, from raw pixels to the answer, on held-out data.

The results do not decide about any setting.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from pipeline.base.figures import save_figure
from pipeline.base.files import write_json, write_table
from pipeline.base.paths import Outputs
from pipeline.config.schema import Config
from pipeline.config.values import dotted
from pipeline.dataset.cells import REFERENCE
from pipeline.dataset.splits import load_split
from pipeline.evaluation import plots
from pipeline.evaluation.metrics import Answered, confusion_matrix, confusions, measure, references
from pipeline.evaluation.mistakes import Mistake, details, network_input, worst_mistakes
from pipeline.evaluation.refusal import held_out_shares, measure_refusal
from pipeline.evaluation.robustness import measure_robustness
from pipeline.evaluation.statistics import Bin, reliability
from pipeline.evaluation.steps import measure_steps
from pipeline.evaluation.strokes import average, load_test_drawings, measure_cells, pool, read_cells
from pipeline.reader.model import load_reader, read_all
from pipeline.runtime.mode import set_up, use_float32
from pipeline.runtime.stage import run_stage
from pipeline.tracking import runs

log = logging.getLogger(__name__)

N_WORST = 50  # mistakes in plots/mistakes.png


def evaluate(config: Config) -> None:
    """Measure the trained reader on held-out data. Write metrics and plots, and log them to the training run."""
    outputs = Outputs()
    set_up(config.runtime, config.train.seed)
    use_float32()
    reader = load_reader(config.model, outputs)
    thresholds = reader.calibration.thresholds
    test, drawings = load_split("test"), load_test_drawings()

    mnist = Answered(test.labels, read_all(reader, test.images))
    cells = read_cells(reader, drawings)
    strokes = measure_cells(cells, thresholds)
    refusal = measure_refusal(reader, drawings, config.evaluate.nondigits)
    # One cell only: the others contain the same drawings, which would make the intervals of the bins too narrow.
    tests = {"MNIST": mnist} | ({"pen strokes": cells[REFERENCE]} if cells else {})
    bins = {source: reliability(tested.answers["probabilities"], tested.labels) for source, tested in tests.items()}
    mistakes = worst_mistakes(tests, thresholds)
    answered = {"mnist": mnist, "strokes": pool(cells)}
    matrices = {name: confusion_matrix(tested) for name, tested in answered.items()}
    metrics: dict[str, dict[str, Any]] = {
        "test": measure("test", mnist, thresholds)
        | references(mnist, thresholds)
        | average(strokes)
        | held_out_shares(refusal),
        "strokes": strokes,
        "confusions": {name: confusions(matrix) for name, matrix in matrices.items()},
        "refusal": refusal,
        "robustness": measure_robustness(reader, test),
        "steps": measure_steps(reader.network, drawings),
        "details": details(tests, bins, mistakes),
    }
    for name, figures in metrics.items():
        write_json(outputs.metrics(name), figures)
    _log(metrics)

    worst = mistakes[:N_WORST]
    families, robustness = refusal["families"], metrics["robustness"]
    ways = f"Pen strokes, {len(cells)} ways"
    files = _write_plots(
        outputs,
        ("confusion", *_confusion_table(mnist), plots.confusion(matrices["mnist"], "MNIST")),
        ("confusion_strokes", *_confusion_table(answered["strokes"]), plots.confusion(matrices["strokes"], ways)),
        (
            "reliability",
            ("test", *Bin._fields),
            [(source, *row) for source, rows in bins.items() for row in rows],
            plots.reliability(bins),
        ),
        ("refusal", *_table("family", families), plots.refusal(families)),
        ("robustness", *_table("key", robustness), plots.robustness(robustness)),
        (
            "mistakes",
            Mistake._fields,
            worst,
            plots.mistakes(worst, [network_input(tests, mistake) for mistake in worst]),
        ),
    )
    numbers = {
        key.removeprefix("test."): value
        for key, value in dotted(metrics)
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    with runs.resume_run(outputs) as run:
        run.log_metrics(numbers)
        run.log_plots(*files)


def _log(metrics: Mapping[str, Mapping[str, Any]]) -> None:
    test = {name: 100 * value for name, value in metrics["test"].items()}
    log.info(
        "MNIST: test accuracy %.2f %% (95 %% interval %.2f to %.2f), %d wrong; %.2f %% refused",
        test["test_accuracy"], test["test_accuracy_low"], test["test_accuracy_high"],
        metrics["test"]["test_errors"], test["test_refused"],
    )  # fmt: skip
    if metrics["strokes"]:
        log.info(
            "pen strokes: %.2f %% on average, %.2f %% in the worst of %d ways; %.2f %% refused",
            test["strokes_accuracy"], test["strokes_worst_accuracy"], len(metrics["strokes"]), test["strokes_refused"],
        )  # fmt: skip


def _write_plots(outputs: Outputs, *table: tuple[str, Sequence[str], Sequence[Sequence], Figure]) -> list[Path]:
    """Write each plot as PNG and its data as CSV. A table is (name, header, rows, figure)."""
    files = []
    for name, header, rows, figure in table:
        data, picture = outputs.plot(f"{name}.csv"), outputs.plot(f"{name}.png")
        write_table(data, header, rows)
        save_figure(figure, picture)
        files += [data, picture]
    return files


def _confusion_table(test: Answered) -> tuple[tuple[str, ...], list[tuple]]:
    return ("actual", "predicted"), list(zip(test.labels.tolist(), test.predicted.tolist(), strict=True))


def _table(key: str, figures: Mapping[str, Mapping[str, Any]]) -> tuple[tuple[str, ...], list[tuple]]:
    """Return the header and the rows of a table with one row for each name in `figures`."""
    columns = next(iter(figures.values()))
    return (key, *columns), [(name, *row.values()) for name, row in figures.items()]


if __name__ == "__main__":
    run_stage(evaluate)
