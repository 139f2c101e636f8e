"""The model card (Mitchell et al., 2019: "Model cards for model reporting"), from the results of the stages."""

import hashlib
from collections.abc import Mapping, Sequence
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
from pipeline.reader.model import Reader

STROKES = (
    "Each pen drawing is rendered with two line widths (% of the digit) and two sizes (% of the canvas), centred or "
    "anywhere. Intervals of pen strokes resample the writers."
)
DISPUTED = (
    'A label is disputed if fewer than three of five raters chose it (Northcutt, Athalye and Mueller, 2021: "Pervasive '
    'label errors in test sets destabilize machine learning benchmarks").'
)
NUMBERS = (
    "A service reads numbers of several digits from pen strokes: it divides them, and the model reads the parts. "
    "Numbers of 2 to 8 digits, each of one test writer: the ink of the digits is apart, just apart, or "
    "touches. *Late strokes* are just apart, and all strokes but the first of each digit are drawn at the end. "
    "Intervals resample the writers:"
)
MEMORY = (
    "The pen drawings of each test writer (the first of the renderings above) with a memory of drawings of the same "
    "writer, as the page keeps it: only wrong and refused answers corrected, in order, or the first one, two or five "
    "of each digit taught and the others read. As a control, the memory of another writer. Non-digits are of held-out "
    "families. The constants were chosen on validation writers (`python -m bench.memory`)."
)
N_WORST = 3  # length of each list of limits


def write_card(
    path: Path,
    file: Path,
    config: Config,
    data: DataCard,
    reader: Reader,
    metrics: Mapping[str, Mapping[str, Any]],
) -> None:
    """Write the card as Markdown.

    Args:
        path: path of the card.
        file: the model file.
        config: the parameters of the training.
        data: the card of the data.
        reader: the reader that became the file.
        metrics: metrics of `evaluate` by file: test, strokes, refusal, robustness, steps, numbers and details.
    """
    sections = (
        _identity(file, config.model.name, reader),
        _use(),
        _limits(metrics),
        _data(data),
        _recipe(config),
        _figures(metrics),
        _decisions(reader.calibration),
        "## How to reproduce it\n\n```sh\ndvc repro\n```\n\n"
        "[reproducibility.md](reproducibility.md) describes what is reproducible to the bit, and on which machines.",
    )
    write_text(path, "\n\n".join(sections) + "\n")


def _identity(file: Path, network: str, reader: Reader) -> str:
    content = file.read_bytes()
    outputs = ["probabilities of the ten digits", "digit score", "normalised image", "box of the ink"]
    if reader.n_features:
        outputs.append(f"{reader.n_features} features on request")
    rows = (
        ("file", f"`{file.name}`, ONNX, {len(content):,} bytes"),
        ("SHA-256", f"`{hashlib.sha256(content).hexdigest()}`"),
        (
            "network",
            f"{network}, convolutional, {reader.network.count_params():,} weights; normaliser version {VERSION}",
        ),
        ("input", "grey pixels, uint8, of any size, dark on light or light on dark"),
        ("outputs", ", ".join(outputs)),
        ("licence", "MIT"),
    )
    return (
        f"# Model card: {file.name}\n\n"
        "The stage `export` writes this card together with the model file. All figures are results of the stages.\n\n"
        + table(("", ""), rows)
    )


def _use() -> str:
    return (
        "## What it is for\n\n"
        "The model reads one handwritten digit, 0 to 9, drawn with a finger, a mouse or a pen, or cut out of a scan. "
        "It reports when it is unsure, and refuses pictures that are not a digit.\n\n"
        "A service reads numbers of several digits from pen strokes. "
        "The model is not for pictures of several digits, printed digits, digits of other scripts, photographs of "
        "whole pages, or uses in which an unnoticed error does harm."
    )


def _limits(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    families = {name: row for name, row in metrics["refusal"]["families"].items() if row["is_held_out"]}
    refused = [
        f"{_words(name)} ({percent(row['refused'], 1)} refused, {percent(row['digit'], 1)} read as a digit)"
        for name, row in sorted(families.items(), key=lambda item: item[1]["refused"])[:N_WORST]
    ]
    changes = [
        f"{row['picture']} ({percent(row['still_right'], 1)})"
        for row in sorted(metrics["robustness"].values(), key=lambda row: row["still_right"])[:N_WORST]
    ]
    wrong = percent(1 - metrics["test"]["test_selective_accuracy"])
    confusion = metrics["details"]["confusion"]
    names = {"mnist": "MNIST", "strokes": "pen strokes"}
    limits = [
        f"{wrong} of the MNIST test images that it reads as a digit are read as a wrong one.",
        *(f"Most frequent errors on {names[key]}: {_confused(matrix)}." for key, matrix in confusion.items()),
        f"Held-out families that it refuses least: {', '.join(refused)}.",
        f"Changes after which it reads least of the digits that it read right before: {', '.join(changes)}.",
    ]
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
    tested = f"The test data is {data.test:,} images of MNIST"
    if data.test_drawings:
        tested += f" and {data.test_drawings:,} pen drawings by writers who are not in the training data"
    return (
        f"## Training and test data\n\n{data.title}.\n\n"
        + table(("part", "training images", "validation images", "source", "licence"), rows)
        + f"\n\n{tested}. Printed letters and symbols are glyphs of the Hershey fonts (A. V. Hershey, "
        "U.S. National Bureau of Standards), free to use with this acknowledgement.\n\n"
        + table(("SHA-256 of", ""), [(_words(name), f"`{digest}`") for name, digest in data.sha256.items()])
    )


def _recipe(config: Config) -> str:
    return (
        "## How it was trained\n\n"
        "These are the parameters; `pipeline/config/schema.py` describes them.\n\n"
        f"```yaml\n{dump(config).strip()}\n```"
    )


def _figures(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    test, strokes, refusal, numbers = (metrics[name] for name in ("test", "strokes", "refusal", "numbers"))
    kinds = refusal["held_out"] | {"letters by hand: trained, new drawings": refusal["families"]["hand_letters"]}
    refused = [(kind, interval(row, "refused", 1)) for kind, row in kinds.items()]
    one_first = sorted(refusal["pairs"].items(), key=lambda pair: (pair[0] != "1", pair))
    pairs = [(digit, interval(row, "refused", 1)) for digit, row in one_first]
    changed = [
        (row["picture"], interval(row, "accuracy", 2), percent(row["refused"]), percent(row["wrong"]),
         interval(row, "still_right", 1))
        for row in metrics["robustness"].values()
    ]  # fmt: skip
    n_changed = next(iter(metrics["robustness"].values()))["n"]
    left_out = [(row["label"], interval(row, "accuracy", 2)) for row in metrics["steps"].values()]
    parts = (
        "## Figures\n\nBrackets contain 95 % intervals. Unless the text says otherwise, they are Wilson's, which treat "
        "pictures as independent; for other writers and families they would be wider. ECE is the expected calibration "
        "error.",
        _accuracy(test, strokes),
        STROKES if strokes else "",
        DISPUTED if "test_undisputed_errors" in test else "",
        f"{percent(test['share_called_digit'])} of the MNIST test images with ink are read as a digit, sure or unsure, "
        f"with a mean confidence of {percent(test['estimated_accuracy'])}. Drift alerts of a service use both figures.",
        "Pictures that are not a digit, of families that are held out of training, and letters by hand:",
        table(("kind", "refused"), refused),
        "Pairs of digits by test writers that touch or nearly do:" if pairs else "",
        table(("first digit", "refused"), pairs) if pairs else "",
        "![Answers by family](../plots/refusal.png)",
        NUMBERS if numbers else "",
        _numbers(numbers) if numbers else "",
        "The figures for handwriting fonts are in [measurements.md](measurements.md#handwriting-fonts), because "
        "`python -m bench.hands` needs the finished file.",
        f"{n_changed:,} MNIST test images that are changed before the model reads them. *Still right* is the share "
        "read right among those that are read right without the change:",
        table(("change", "accuracy", "refused", "read as a wrong digit", "still right"), changed),
        "Pen strokes without one step of the normaliser, with the same network:" if left_out else "",
        table(("left out", "accuracy"), left_out) if left_out else "",
        MEMORY if metrics["memory"] else "",
        _memory(metrics["memory"]) if metrics["memory"] else "",
        "![Accuracy by confidence](../plots/reliability.png)",
        "![The mistakes with the highest confidence](../plots/mistakes.png)",
    )
    return "\n\n".join(part for part in parts if part)


def _numbers(numbers: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        (_words(kind), *(interval(row, name, 1) for name in ("accuracy", "cut", "read")))
        for kind, row in numbers.items()
        if "accuracy" in row
    ]
    single, letters = (interval(numbers[kind], "became_number", 2) for kind in ("single", "letters"))
    return (
        table(("digits", "read right", "divided right", "read as a number"), rows)
        + f"\n\n{single} of the single digits of the test writers are read as several digits, and {letters} of the "
        "letters of several strokes of held-out families."
    )


def _accuracy(test: Mapping[str, Any], strokes: Mapping[str, Mapping[str, Any]]) -> str:
    tested = [("MNIST test", test, "test")] + [(_words(name), row, "strokes") for name, row in strokes.items()]
    rows = [
        (
            name,
            interval(row, f"{prefix}_accuracy", 2),
            f"{row[f'{prefix}_errors']:,}",
            *(percent(row[f"{prefix}_{figure}"]) for figure in ("ece", "refused", "unsure", "selective_accuracy")),
        )
        for name, row, prefix in tested
    ]
    if "test_undisputed_errors" in test:
        accuracy, errors = interval(test, "test_undisputed_accuracy", 2), f"{test['test_undisputed_errors']:,}"
        rows.insert(1, ("MNIST test without disputed labels", accuracy, errors, "", "", "", ""))
    return table(("digits", "accuracy", "errors", "ECE", "refused", "unsure", "accuracy if read as a digit"), rows)


def _memory(ways: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        (_words(name), f"{row['remembered']:g}", f"{row['drawings']:,}", percent(row["accuracy_before"]),
         percent(row["accuracy"]), *(f"{row[count]:,}" for count in ("errors_before", "errors", "newly_wrong")),
         f"{row['refused_before']:,} / {row['refused']:,}",
         f"{percent(row['others_refused_before'])} / {percent(row['others_refused'])}")
        for name, row in ways.items()
    ]  # fmt: skip
    columns = (
        "memory", "size", "drawings", "accuracy without", "accuracy", "errors without", "errors", "newly wrong",
        "digits refused without / with", "non-digits refused without / with",
    )  # fmt: skip
    return table(columns, rows)


def _decisions(calibration: Calibration) -> str:
    score, confidence = calibration.thresholds["digit_score"], calibration.thresholds["confidence"]
    rows = (
        ("blank", "there is no ink"),
        ("not a digit", f"the digit score is below {score:g}"),
        ("unsure", f"otherwise, if the largest probability is below {confidence:g}"),
        ("digit", "otherwise"),
    )
    return (
        "## How it decides\n\n"
        f"The logits are divided by a temperature of {calibration.temperature:g} before the softmax. The temperature "
        "and the thresholds were fitted on validation images.\n\n" + table(("answer", "when"), rows)
    )


def _confused(matrix: Sequence[Sequence[int]]) -> str:
    """Return the most frequent errors of a confusion matrix, such as "4 read as 9 (7 times)"."""
    errors = [
        (n, f"{actual} read as {predicted}")
        for actual, row in enumerate(matrix)
        for predicted, n in enumerate(row)
        if n and actual != predicted
    ]
    worst = sorted(errors, key=lambda error: -error[0])[:N_WORST]
    return ", ".join(f"{text} ({n:,} times)" for n, text in worst) or "none"


def _words(name: str) -> str:
    return name.replace("_", " ")
