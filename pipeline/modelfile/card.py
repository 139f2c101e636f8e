"""The model card (Mitchell et al., 2019: "Model cards for model reporting"), from the results of the stages."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.base.files import write_text
from pipeline.base.markdown import interval, percent, table
from pipeline.base.parts import find_part
from pipeline.config.schema import Config
from pipeline.config.values import dump
from pipeline.dataset.splits import DataCard
from pipeline.ink.normalize import VERSION
from pipeline.network.calibration import Calibration

STROKE_NOTE = (
    "Pen strokes: width of the line in % of the digit, size in % of the canvas; their intervals are by a bootstrap "
    "over the writers. "
)
STEPS_NOTE = (
    "\n\nPen strokes, each drawn in one of these ways in turn, if a step of the normaliser is left out and the network "
    "stays as it is; intervals by the writers, as above:\n\n"
)
N_WORST = 3  # length of each list of limits


def write_card(
    path: Path,
    file: Path,
    n_parameters: int,
    config: Config,
    data: DataCard,
    calibration: Calibration,
    metrics: Mapping[str, Mapping[str, Any]],
) -> None:
    """Write the card as Markdown.

    Args:
        path: path of the card.
        file: the model file.
        n_parameters: number of weights.
        config: the parameters of the training.
        data: the card of the data.
        calibration: temperature and thresholds.
        metrics: metrics of `evaluate` by file: test, strokes, refusal, robustness, confusions and steps.
    """
    sections = (
        _identity(file, config.model.name, n_parameters),
        _use(),
        _limits(metrics),
        _data(data),
        _recipe(config),
        _figures(metrics),
        _decisions(calibration),
        "## How to reproduce it\n\n```sh\ndvc repro\n```\n\n"
        "[reproducibility.md](reproducibility.md) says what repeats to the bit, and where.",
    )
    write_text(path, "\n\n".join(sections) + "\n")


def _identity(file: Path, network: str, n_parameters: int) -> str:
    content = file.read_bytes()
    rows = (
        ("file", f"`{file.name}`, ONNX, {len(content):,} bytes"),
        ("SHA-256", f"`{hashlib.sha256(content).hexdigest()}`"),
        ("network", f"{network}, convolutional, {n_parameters:,} weights; normaliser version {VERSION}"),
        ("takes", "grey pixels, uint8, of any size, dark on light or light on dark"),
        ("gives", "probabilities of the ten digits, a score for being a digit, what the network saw, the ink's box"),
        ("licence", "MIT"),
    )
    return (
        f"# Model card: {file.name}\n\n"
        "Written by the stage `export` with the model file; every figure is taken from what the stages measured.\n\n"
        + table(("", ""), rows)
    )


def _use() -> str:
    return (
        "## What it is for\n\n"
        "It reads one handwritten digit, 0 to 9, drawn with a finger, a mouse or a pen, or cut out of a scan, and says "
        "when it is unsure, or sees no digit.\n\n"
        "It is not for numbers of several digits, printed or other scripts' digits, photographs of whole pages, or "
        "anything where a mistake that nobody notices does harm."
    )


def _limits(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    families = {name: row for name, row in metrics["refusal"]["families"].items() if row["is_held_out"]}
    refused = [
        f"{_words(name)} ({percent(row['refused'], 1)} refused, {percent(row['digit'], 1)} called a digit)"
        for name, row in sorted(families.items(), key=lambda item: item[1]["refused"])[:N_WORST]
    ]
    spoilt = [
        f"{row['picture']} ({percent(row['accuracy'], 1)} right)"
        for row in sorted(metrics["robustness"].values(), key=lambda row: row["accuracy"])[:N_WORST]
    ]
    wrong = percent(1 - metrics["test"]["test_selective_accuracy"])
    limits = [
        f"Of MNIST's test digits that it calls a digit, {wrong} are another digit than it says.",
        f"Mistaken most often, MNIST: {_confused(metrics['confusions']['mnist'])}.",
        f"Refused least, of the families held out of training: {', '.join(refused)}.",
        f"Read worst, of the spoilt pictures: {', '.join(spoilt)}.",
    ]
    if metrics["strokes"]:
        confused = _confused(metrics["confusions"]["strokes"])
        limits.insert(2, f"Mistaken most often, pen strokes in all {len(metrics['strokes'])} ways: {confused}.")
    return "## Limits\n\n" + "\n".join(f"- {limit}" for limit in limits)


def _data(data: DataCard) -> str:
    names = dict.fromkeys(name for part in data.parts.values() for name in part)
    rows = [
        (
            name,
            *(f"{data.parts[split].get(name, 0):,}" for split in ("train", "validation")),
            find_part(name).source,
            find_part(name).licence,
        )
        for name in names
    ]
    tested = f"Tested with {data.test:,} images of MNIST"
    if data.test_drawings:
        tested += f" and {data.test_drawings:,} pen drawings by writers who appear nowhere else"
    return (
        f"## What it was made from\n\n{data.title}.\n\n"
        + table(("part", "training images", "validation images", "source", "licence"), rows)
        + f"\n\n{tested}. Letters and symbols that are no digit are glyphs of the Hershey fonts (A. V. Hershey, "
        "U.S. National Bureau of Standards), free to use with this acknowledgement.\n\n"
        + table(("SHA-256 of", ""), [(_words(name), f"`{digest}`") for name, digest in data.sha256.items()])
    )


def _recipe(config: Config) -> str:
    return (
        "## How it was trained\n\n"
        "With these values; `pipeline/config.py` says what each means.\n\n"
        f"```yaml\n{dump(config).strip()}\n```"
    )


def _figures(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    test, strokes = metrics["test"], metrics["strokes"]
    tested = [("MNIST test", test, "test")] + [(_words(name), row, "strokes") for name, row in strokes.items()]
    accuracy = [
        (
            name,
            interval(row, f"{prefix}_accuracy", 2),
            f"{row[f'{prefix}_errors']:,}",
            *(percent(row[f"{prefix}_{figure}"]) for figure in ("ece", "refused", "unsure", "selective_accuracy")),
        )
        for name, row, prefix in tested
    ]
    refused = [(kind, interval(row, "refused", 1)) for kind, row in metrics["refusal"]["held_out"].items()]
    spoilt = [
        (row["picture"], interval(row, "accuracy", 2), percent(row["refused"]), percent(row["wrong"]))
        for row in metrics["robustness"].values()
    ]
    stroke_note = STROKE_NOTE if strokes else ""
    left_out = [(row["label"], interval(row, "accuracy", 2)) for row in metrics["steps"].values()]
    steps = STEPS_NOTE + table(("left out", "accuracy"), left_out) if left_out else ""
    return (
        "## Figures\n\n"
        "In brackets 95 % intervals (Wilson), as if each picture stood alone. Those of one writer or family are "
        f"alike, so for others they would be wider. {stroke_note}"
        "ECE: expected calibration error. The last column is the accuracy among the answers called a digit.\n\n"
        + table(("digits", "accuracy", "mistakes", "ECE", "refused", "unsure", "if called a digit"), accuracy)
        + "\n\nThings that are no digit, of families held out of training; here the more are refused, the better:\n\n"
        + table(("kind", "refused"), refused)
        + "\n\n![What each family is called](../plots/refusal.png)\n\n"
        + "MNIST's test images, spoilt before they are read:\n\n"
        + table(("picture", "accuracy", "refused", "called a digit, wrongly"), spoilt)
        + steps
        + "\n\n![Accuracy by confidence](../plots/reliability.png)\n\n"
        + "![The mistakes with the highest confidence](../plots/mistakes.png)"
    )


def _decisions(calibration: Calibration) -> str:
    score, confidence = calibration.thresholds["digit_score"], calibration.thresholds["confidence"]
    rows = (
        ("blank", "there is no ink"),
        ("not a digit", f"the score for being a digit is below {score:g}"),
        ("unsure", f"else, if the largest probability is below {confidence:g}"),
        ("digit", "else"),
    )
    return (
        "## How it decides\n\n"
        f"Logits are divided by a temperature of {calibration.temperature:g} before the softmax. It and the thresholds "
        "were fitted to validation images.\n\n" + table(("answer", "when"), rows)
    )


def _confused(counts: Mapping[str, int]) -> str:
    """Return the most frequent confusions, such as "4 as 9 (7 times)"; `counts` is sorted."""
    return ", ".join(f"{_words(pair)} ({n:,} times)" for pair, n in list(counts.items())[:N_WORST]) or "none"


def _words(name: str) -> str:
    return name.replace("_", " ")
