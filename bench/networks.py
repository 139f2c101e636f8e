"""Train a network of another shape, or with another recipe, and measure its cost and its validation errors.

python -m bench.networks "c3x8 c4s2x32 c3x48 c3x64 p c3x128" train.epochs=7 model.dropout=0.3

A network is a list of layers: c3x8 is a convolution of 3x3 with 8 filters and a ReLU, s2 its stride, p a maximum over
2x2. The last layer, dropout before it, and all values that are not given are the model's. Each run adds a row to
bench/results/networks.json. Without a network, it repeats the rows of other code or other values. No test image and no
font is read.
"""

import argparse
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from matplotlib.figure import Figure

from bench import RESULTS, begin, network_sha256, weights_md5
from pipeline.base.errors import ConfigError, InklingError
from pipeline.base.figures import save_figure
from pipeline.base.files import read_json, write_json
from pipeline.base.markdown import percent, table
from pipeline.base.paths import ROOT
from pipeline.config.schema import Config
from pipeline.config.values import load_config
from pipeline.dataset.splits import NO_DIGIT, load_card, load_split, part_slices
from pipeline.network.blocks import INPUT_SHAPE, logits
from pipeline.network.calibration import calibrate, mean_cross_entropy
from pipeline.network.networks import N_OUTPUTS, build_network
from pipeline.runtime.mode import set_up
from pipeline.train import measure_parts
from pipeline.training.augment import augment
from pipeline.training.trainer import Trainer, predict_logits

N_WARPS = 4  # warped copies of each validation digit; they show differences that 6,000 images are too few for
OWN = "inkling"  # the model's own network
FILE = RESULTS / "networks.json"


def build(description: str, config: Config) -> keras.Model:
    """Return the untrained network of a description.

    Raises:
        ConfigError: a part of the description has an unknown form.
    """
    if description == OWN:
        return build_network(config.model)
    stack: list[Any] = [keras.Input(INPUT_SHAPE)]
    for part in description.split():
        if part == "p":
            stack.append(layers.MaxPooling2D())
        elif found := re.fullmatch(r"c(\d)(?:s(\d))?x(\d+)", part):
            kernel, stride, filters = (int(number or 1) for number in found.groups())
            kind = {"strides": stride, "activation": "relu", "kernel_initializer": "he_normal"}
            stack.append(layers.Conv2D(filters, kernel, **kind))
        else:
            raise ConfigError(f"{part!r} is no layer: write c3x16, c4s2x32 or p")
    stack += [layers.Flatten(), layers.Dropout(config.model.dropout), logits(N_OUTPUTS)]
    return keras.Sequential(stack, name="network")


def multiply_adds(network: keras.Model) -> int:
    """Return the number of multiplications for one image."""
    return sum(
        int(np.prod(layer.kernel.shape)) * int(np.prod(layer.output.shape[1:-1]))
        for layer in network.layers
        if hasattr(layer, "kernel")
    )


def measure(description: str, config: Config) -> dict[str, Any]:
    """Train a network, and return its cost and the figures of its averaged weights on validation images."""
    card, train, validation = load_card(), load_split("train"), load_split("validation")
    trainer = Trainer(build(description, config), train, validation, config.train)
    started = time.process_time()
    trainer.fit(lambda epoch, seconds: None)
    cpu_seconds = time.process_time() - started
    digits = validation[validation.labels != NO_DIGIT]
    answers, parts = predict_logits(trainer.average, validation.images), card.parts["validation"]
    calibration = calibrate(answers, validation.labels, parts, config.decision)
    is_wrong = answers[:, :-1].argmax(axis=1) != validation.labels
    errors = {f"{part}_errors": int(is_wrong[images].sum()) for part, images in part_slices(parts).items()}
    images = tf.constant(digits.images[..., None], tf.float32) / 255.0
    warps = [augment(images, config.train.augment, tf.constant([7, number])) for number in range(N_WARPS)]
    warped = np.concatenate([trainer.average(warp, training=False).numpy()[:, :-1] for warp in warps])
    labels = np.tile(digits.labels, N_WARPS)
    return {
        "multiply_adds": multiply_adds(trainer.network),
        "n_weights": trainer.network.count_params(),
        "n_steps": int(trainer.n_steps),
        "cpu_ms_per_step": round(1000 * cpu_seconds / trainer.n_steps, 1),
        "mnist_errors": errors["mnist_errors"],
        "pendigits_errors": errors["pendigits_errors"],
        "warped_errors": round(float((warped.argmax(axis=1) != labels).mean()), 6),
        "warped_loss": round(mean_cross_entropy(warped, labels), 6),
        "refused": measure_parts(answers, validation.labels, parts, calibration)["val_nondigits_refused"],
    }


def plot(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw the errors by the cost of the networks that were trained with the same values, the most of all."""
    values = Counter(tuple(row["values"]) for row in rows).most_common(1)[0][0]
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    alike = sorted((row for row in rows if tuple(row["values"]) == values), key=lambda row: row["warped_errors"])
    for number, row in enumerate(alike):
        place = row["multiply_adds"] / 1e6, 100 * row["warped_errors"]
        offset = (0, 6 if number % 2 else -12)  # neighbours' names on different sides
        axes.plot(*place, "o", color="tab:blue")
        axes.annotate(row["network"], place, offset, textcoords="offset points", ha="center", fontsize=6)
    axes.set(xlabel="million multiply-adds", ylabel="errors on warped validation digits, %")
    axes.set_title(fill(" ".join(values), 100), fontsize=7)
    axes.margins(0.2)
    return figure


def section(results: Mapping[str, Any]) -> str:
    """Return the table for the document."""
    common = set.intersection(*(set(row["values"]) for row in results["rows"]))
    rows = [
        (
            f"`{row['network']}`",
            ", ".join(f"`{value}`" for value in row["values"] if value not in common),
            f"{row['multiply_adds'] / 1e6:.2f}",
            f"{row['n_weights'] / 1000:.0f}",
            f"{row['n_steps']:,}",
            f"{row['cpu_ms_per_step']:.0f}",
            str(row["mnist_errors"]),
            percent(row["warped_errors"]),
            f"{row['warped_loss']:.4f}",
            percent(row["refused"], 1),
        )
        for row in results["rows"]
    ]
    head = ("network", "values", "million multiply-adds", "thousand weights", "steps", "CPU ms a step", "MNIST errors",
            "warped errors", "warped loss", "non-digits refused")  # fmt: skip
    return (
        "## Networks and recipes that were tried\n\n`python -m bench.networks NETWORK KEY=VALUE ...`, with the values "
        f"of the table and {', '.join(f'`{value}`' for value in sorted(common))}; all others are the model's. "
        "No test image and no font was read. The figures are of validation "
        "images: errors of MNIST's 6,000; errors and loss of warped copies of all digits; the share of the non-digits "
        "that is refused. Only the ratios of the times mean something.\n\n"
        + table(head, rows)
        + "\n\n![Errors by cost](networks.png)"
    )


def repeat() -> None:
    """Train the networks whose rows are of another training or other values again, each in a process of its own."""
    save = begin("networks")
    for row in read_json(FILE, made_by="bench.networks")["rows"]:
        now = {"params_sha256": network_sha256(load_config(row["values"])), "weights_md5": weights_md5()}
        if row | now != row:
            command = [sys.executable, "-m", "bench.networks", row["network"], *row["values"]]
            subprocess.run(command, cwd=ROOT, check=True)
    save({"rows": read_json(FILE, made_by="bench.networks")["rows"]})


def main() -> None:
    """Train and measure a network, print its figures, and add them to bench/results/networks.json and its plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", nargs="?", help=f"its layers, or {OWN} for the model's own")
    parser.add_argument("values", nargs="*", help="other values than those of params.yaml, as KEY=VALUE")
    arguments = parser.parse_args()
    if arguments.network is None:
        repeat()
        return
    try:
        config = load_config(arguments.values)
        set_up(config.runtime, config.train.seed)
        figures = measure(arguments.network, config)
    except InklingError as error:
        sys.exit(f"error: {error}")
    row = {"network": arguments.network, "values": sorted(arguments.values)} | figures
    row |= {"params_sha256": network_sha256(config), "weights_md5": weights_md5()}
    print(row)
    results = read_json(FILE, made_by="bench.networks")
    same = {key: row[key] for key in ("network", "values")}
    places = [number for number, other in enumerate(results["rows"]) if other | same == other]
    results["rows"][slice(places[0], places[0] + 1) if places else slice(len(results["rows"]), None)] = [row]
    write_json(FILE, results)
    save_figure(plot(results["rows"]), ROOT / "docs" / "networks.png")


if __name__ == "__main__":
    main()
