"""Compare the training time of two recipes up to the same accuracy on MNIST's validation images.

python -m bench.recipe [--target 0.9927] [--epochs 30]

"ours" is the pipeline's Trainer with params.yaml, on all training images. "reference" is the network seed_vision with
the usual recipe: Adam at 1e-3, batches of 64, no augmentation, on the MNIST part of the images.

Both train in one process with the same threads, in alternating epochs, so that both see the same load of the machine.
The seconds cover training on data in memory, with the graph tracing of the first epoch, and without validation.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bench import RESULTS, head, origin
from pipeline.base.classes import N_CLASSES
from pipeline.base.errors import InklingError
from pipeline.base.files import write_json
from pipeline.config.schema import TrainConfig
from pipeline.config.values import load_config
from pipeline.dataset.splits import Split, load_card, load_split
from pipeline.network.networks import build_network
from pipeline.runtime.mode import set_up, use_float32
from pipeline.training.trainer import Trainer, predict_logits

Recipe = Iterator[tuple[float, keras.Model]]  # yields after each epoch: its seconds, and the network to evaluate


@dataclass(frozen=True)
class Row:
    """Result of an epoch.

    Attributes:
        epoch: from 1.
        seconds: training time of this epoch.
        total_seconds: training time up to its end.
        val_accuracy: on MNIST's validation images, 0 to 1.
    """

    epoch: int
    seconds: float
    total_seconds: float
    val_accuracy: float


def ours(network: keras.Model, train: Split, config: TrainConfig) -> Recipe:
    """Train with the pipeline's recipe."""
    # The Trainer validates within its epoch. Ten images keep that out of the measured time.
    trainer = Trainer(network, train, head(train, 10), config)
    for number in range(1, config.epochs + 1):
        started = time.perf_counter()
        trainer.run_epoch(number)
        yield time.perf_counter() - started, trainer.average


def reference(network: keras.Model, train: Split) -> Recipe:
    """Train with the usual recipe of tutorials."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    images = tf.constant(train.images[..., None], tf.float32) / 255.0
    labels = tf.constant(train.labels)
    while True:
        started = time.perf_counter()
        network.fit(images, labels, batch_size=64, verbose=0)
        yield time.perf_counter() - started, network


def run_in_turn(recipes: dict[str, Recipe], validation: Split, target: float, n_epochs: int) -> dict[str, list[Row]]:
    """Run the recipes in alternating epochs. Each stops at the target, after `n_epochs`, or at its own end."""
    rows: dict[str, list[Row]] = {name: [] for name in recipes}
    running = dict(recipes)
    for number in range(1, n_epochs + 1):
        for name, recipe in list(running.items()):
            seconds, network = next(recipe, (0.0, None))
            if network is None:
                del running[name]
                continue
            total = sum(row.seconds for row in rows[name]) + seconds
            row = Row(number, round(seconds, 3), round(total, 3), round(accuracy(network, validation), 6))
            rows[name].append(row)
            print(f"{name:>10} {number:>6} {seconds:>8.1f} {total:>8.1f} {100 * row.val_accuracy:>14.2f}", flush=True)
            if row.val_accuracy >= target:
                del running[name]
    return rows


def accuracy(network: keras.Model, split: Split) -> float:
    """Return the share of correctly read digits, 0 to 1."""
    logits = predict_logits(network, split.images)[:, :N_CLASSES]
    return float((logits.argmax(axis=1) == split.labels).mean())


def summarize(rows: dict[str, list[Row]], target: float) -> dict[str, Any]:
    """Return the figures. Seconds and ratio are None if the target was not reached."""
    passed = {name: [row for row in rows[name] if row.val_accuracy >= target] for name in rows}
    to_target = {name: found[0].total_seconds if found else None for name, found in passed.items()}
    own, other = to_target["ours"], to_target["reference"]
    return {
        "target_val_accuracy": target,
        "seconds_to_target": to_target,
        "ratio": round(own / other, 4) if own and other else None,
        "seconds_per_epoch": {name: float(np.median([row.seconds for row in rows[name]])) for name in rows},
        "epochs": {name: [asdict(row) for row in rows[name]] for name in rows},
    }


def _measure(target: float, n_epochs: int) -> dict[str, Any]:
    config, parts = load_config(), load_card().parts
    train, validation = load_split("train"), load_split("validation")
    mnist = head(train, parts["train"]["mnist"])  # the first part
    set_up(config.runtime, config.train.seed)
    recipes = {"ours": ours(build_network(config.model), train, config.train)}
    use_float32()
    recipes["reference"] = reference(
        build_network(load_config(["model=seed_vision"]).model, n_outputs=N_CLASSES), mnist
    )
    print(f"{'recipe':>10} {'epoch':>6} {'seconds':>8} {'total':>8} {'validation, %':>14}")
    rows = run_in_turn(recipes, head(validation, parts["validation"]["mnist"]), target, n_epochs)
    n_images = {"ours": len(train.labels), "reference": len(mnist.labels)}
    return origin(config) | {"threads": config.runtime.threads, "training_images": n_images} | summarize(rows, target)


def main() -> None:
    """Train both, print a row per epoch and the times to the target, and write bench/results/recipe.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", type=float, default=0.9927, help="validation accuracy to reach, 0 to 1")
    parser.add_argument("--epochs", type=int, default=30, help="maximum number of epochs of each recipe")
    arguments = parser.parse_args()
    try:
        figures = _measure(arguments.target, arguments.epochs)
    except InklingError as error:
        sys.exit(f"error: {error}")
    write_json(RESULTS / "recipe.json", figures)
    print(f"\n{'recipe':>10} {'seconds an epoch':>17} {f'seconds to {100 * arguments.target:.2f} %':>19}")
    for name, seconds in figures["seconds_to_target"].items():
        to_target = f"{seconds:.1f}" if seconds else "not reached"
        print(f"{name:>10} {figures['seconds_per_epoch'][name]:>17.1f} {to_target:>19}")
    if figures["ratio"]:
        print(f"ours / reference: {figures['ratio']:.2f}")


if __name__ == "__main__":
    main()
