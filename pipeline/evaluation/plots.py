"""Plots of the evaluation, drawn without a display."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from pipeline.base.classes import N_CLASSES
from pipeline.evaluation.mistakes import Mistake
from pipeline.evaluation.statistics import N_BINS, Bin, expected_calibration_error

GOOD, BETTER, DOUBTFUL, BAD, NEUTRAL = "#4c78a8", "#a9c5e0", "#f2cf7e", "#d1495b", "#b8bfc6"
SOURCE_COLOURS = ("#4c78a8", "#e08e3c")
SHEET_COLUMNS = 10


def confusion(matrix: np.ndarray, title: str) -> Figure:
    """Plot a confusion matrix, int ``[classes, classes]`` of actual by predicted. Only the mistakes are coloured."""
    figure = Figure(figsize=(5.6, 5.4), layout="constrained")
    axes = figure.subplots()
    mistakes = matrix * (1 - np.eye(len(matrix), dtype=int))
    axes.imshow(mistakes, cmap="Oranges", vmax=max(1, mistakes.max() * 1.3))
    for actual, predicted in np.argwhere(matrix):
        count, colour = matrix[actual, predicted], "grey" if actual == predicted else "black"
        axes.text(predicted, actual, count, ha="center", va="center", fontsize=8, color=colour)
    axes.set_title(f"{title}: {mistakes.sum():,} mistakes in {matrix.sum():,}", fontsize=11)
    axes.set(xlabel="predicted", ylabel="actual", xticks=range(N_CLASSES), yticks=range(N_CLASSES))
    return figure


def reliability(tables: Mapping[str, Sequence[Bin]]) -> Figure:
    """Plot the accuracy by confidence, and below it the number of answers, in one column for each test set."""
    figure = Figure(figsize=(4.6 * len(tables), 5.4), layout="constrained")
    grid = figure.subplots(2, len(tables), sharex=True, sharey="row", height_ratios=(3, 1), squeeze=False)
    for (title, bins), upper, lower in zip(tables.items(), *grid, strict=True):
        confidence, accuracy, low, high = (
            np.array([getattr(row, name) for row in bins])
            for name in ("confidence", "accuracy", "accuracy_low", "accuracy_high")
        )
        upper.plot((0, 1), (0, 1), color="grey", linestyle=":", label="perfectly calibrated")
        # Rounding may put an end of the interval slightly on the wrong side.
        ends = np.maximum((accuracy - low, high - accuracy), 0)
        upper.errorbar(confidence, accuracy, ends, fmt="o", color=GOOD, capsize=2, label="measured, 95 % interval")
        upper.set_title(f"{title}: ECE {100 * expected_calibration_error(bins):.2f} %", fontsize=11)
        upper.set(xlim=(0, 1.02), ylim=(0, 1.02))
        lower.bar([row.low for row in bins], [row.n for row in bins], 1 / N_BINS, align="edge", color=BETTER)
        for row in bins:
            lower.text((row.low + row.high) / 2, row.n * 1.15, f"{row.n:,}", ha="center", fontsize=7)
        lower.set(xlabel="confidence", yscale="log", ylim=(0.5, 1e5))
        for axes in (upper, lower):
            axes.grid(alpha=0.3)
    grid[0, 0].set_ylabel("accuracy")
    grid[0, 0].legend(fontsize="small", loc="lower right")
    grid[1, 0].set_ylabel("answers")
    return figure


def refusal(families: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Plot how each family of non-digits is classified, held-out families first, sorted by refusal rate."""
    states = {"not_a_digit": GOOD, "blank": BETTER, "unsure": DOUBTFUL, "digit": BAD}
    names = sorted(families, key=lambda name: (not families[name]["is_held_out"], families[name]["refused"], name))
    rows = [families[name] for name in names]
    figure, axes = _bars([name.replace("_", " ") for name in names], rows, states, "refused")
    n_held_out = sum(row["is_held_out"] for row in rows)
    axes.axhline(n_held_out - 0.5, color="black", linewidth=0.8)
    for tick in axes.get_yticklabels()[:n_held_out]:
        tick.set_fontweight("bold")
    axes.set_xlabel("share of the pictures, %; bold: families that are held out of training")
    axes.set_title("Answers to pictures that are not a digit, by family", fontsize=11)
    return figure


def robustness(table: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Plot the states and the accuracy of digits after each perturbation."""
    shares = {"right": GOOD, "unsure": DOUBTFUL, "refused": NEUTRAL, "wrong": BAD}
    rows = list(table.values())
    figure, axes = _bars([row["picture"] for row in rows], rows, shares, "accuracy")
    for i in range(1, len(rows)):
        if rows[i]["perturbation"] != rows[i - 1]["perturbation"]:
            axes.axhline(i - 0.5, color="black", linewidth=0.4)
    axes.set_xlabel("share of the images, %; right and wrong: read as a digit, and the digit is right or wrong")
    axes.set_title("Answers to changed MNIST test images", fontsize=11)
    return figure


def _bars(
    labels: Sequence[str], rows: Sequence[Mapping[str, Any]], colours: Mapping[str, str], metric: str
) -> tuple[Figure, Axes]:
    """Draw a horizontal bar for each row, from the top, stacked from its shares, and on the right a metric.

    Args:
        labels: of the rows.
        rows: the shares, 0 to 1, and the metric with its interval.
        colours: by name of the share, from the left.
        metric: its name in the rows.
    """
    figure = Figure(figsize=(9, 1.3 + 0.27 * len(labels)), layout="constrained")
    axes = figure.subplots()
    left = np.zeros(len(labels))
    for name, colour in colours.items():
        widths = 100 * np.array([row[name] for row in rows])
        axes.barh(range(len(labels)), widths, left=left, color=colour, height=0.78)
        left += widths
    axes.set(xlim=(0, 100), ylim=(len(labels) - 0.4, -0.6), yticks=range(len(labels)))
    axes.set_yticklabels(labels, fontsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    _add_legend(figure, colours)
    axes.text(1.01, 1, f"{metric}, %", transform=axes.transAxes, fontsize=9, va="bottom")
    for i, row in enumerate(rows):
        share, low, high = (100 * row[f"{metric}{end}"] for end in ("", "_low", "_high"))
        axes.text(107, i, f"{share:.1f}", fontsize=9, va="center", ha="right")
        axes.text(108, i, f"({low:.1f} to {high:.1f})", fontsize=7.5, va="center", color="dimgrey")
    return figure, axes


def _add_legend(figure: Figure, colours: Mapping[str, str]) -> None:
    handles = [Patch(color=colour, label=name.replace("_", " ")) for name, colour in colours.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=max(1, len(handles)), frameon=False, fontsize=9)


def mistakes(worst: Sequence[Mistake], images: Sequence[np.ndarray]) -> Figure:
    """Plot the image of each mistake, uint8 ``[28, 28]`` with 255 = ink, dark on light, with a frame for its source."""
    sources = dict(zip(sorted({mistake.source for mistake in worst}), SOURCE_COLOURS, strict=False))
    n_rows = max(1, -(-len(worst) // SHEET_COLUMNS))
    figure = Figure(figsize=(SHEET_COLUMNS, 0.7 + 1.2 * n_rows), layout="constrained")
    cells = figure.subplots(n_rows, SHEET_COLUMNS, squeeze=False).ravel()
    for axes in cells[len(worst) :]:
        axes.set_axis_off()
    for axes, mistake, image in zip(cells, worst, images, strict=False):
        axes.imshow(255 - image, cmap="gray", vmin=0, vmax=255)
        axes.set(xticks=[], yticks=[])
        axes.set_xlabel(f"{mistake.actual} → {mistake.predicted}, {100 * mistake.confidence:.1f} %", fontsize=8)
        for spine in axes.spines.values():
            spine.set(color=sources[mistake.source], linewidth=2)
    figure.suptitle(f"The {len(worst)} mistakes with the highest confidence: actual → predicted", fontsize=11)
    _add_legend(figure, sources)
    return figure
