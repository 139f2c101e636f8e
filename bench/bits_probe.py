"""Write the arrays of a small training task. `python -m bench.bits` runs this command and compares the arrays.

python -m bench.bits_probe FILE.npz N_STEPS [NAME=VALUE ...] -- [override ...]

The environment variables override the pins. The data is fixed. Everything else is code of the pipeline: pictures,
network, augmentation, optimiser and averages.
"""

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from bench import embedded_images
from pipeline.config.schema import Config
from pipeline.config.values import load_config

N_PICTURES = 60  # number of pictures of each kind
N_VALIDATION = 300
Arrays = dict[str, np.ndarray]


def main() -> None:
    """Write the arrays, and print the seconds per step."""
    if {"-h", "--help"} & {*sys.argv}:
        print(__doc__)
        return
    file, n_steps, *rest = sys.argv[1:]
    cut = rest.index("--")
    os.environ.update(dict(setting.split("=", 1) for setting in rest[:cut]))
    config = load_config(rest[cut + 1 :])

    from pipeline.runtime.mode import set_up

    set_up(config.runtime, config.train.seed)
    arrays, seconds = _trained(config, int(n_steps))
    np.savez(Path(file), **(_functions() | _prepared() | arrays))  # type: ignore[arg-type]
    print(seconds)


def _functions() -> Arrays:
    """Return results of the numpy and OpenBLAS functions with which the pipeline draws its images."""
    x = np.linspace(0.001, 5, 4001)
    square = np.random.default_rng(0).random((70, 70))
    return {"numpy: exp": np.exp(-x), "numpy: log": np.log(x), "numpy: sin": np.sin(9 * x), "numpy: power": x**0.7,
            "numpy: matrix product": square @ square}  # fmt: skip


def _prepared() -> Arrays:
    """Return pictures made with the functions of the stage `prepare`."""
    from pipeline.dataset.pictures import render_nondigits, render_skeletons
    from pipeline.ink.normalize import normalize_all

    return {
        "prepare: MNIST": normalize_all(_images()[0][:N_PICTURES]),
        "prepare: generated digits": render_skeletons(N_PICTURES, 1).images,
        "prepare: no digits": render_nondigits(N_PICTURES, [], 2).images,
    }


def _images() -> tuple[np.ndarray, np.ndarray]:
    """Return the embedded images, shuffled: uint8 ``[5000, 28, 28]``, int32 ``[5000]``."""
    split = embedded_images()
    order = np.random.default_rng(0).permutation(len(split.labels))
    return split.images[order], split.labels[order]


def _trained(config: Config, n_steps: int) -> tuple[Arrays, float]:
    """Return arrays from the first training step and from the end of `n_steps` steps, and the seconds per step."""
    import tensorflow as tf

    from pipeline.dataset.splits import NO_DIGIT, Split
    from pipeline.network.calibration import calibrate
    from pipeline.network.networks import build_network
    from pipeline.reader.model import Reader, read_all
    from pipeline.training.augment import augment
    from pipeline.training.trainer import Trainer, image_losses, predict_logits

    images, labels = _images()
    validation = Split(images[:N_VALIDATION], labels[:N_VALIDATION])
    train = Split(images[N_VALIDATION:], labels[N_VALIDATION:].copy())
    train.labels[::5] = NO_DIGIT
    network = build_network(config.model)
    trainer = Trainer(network, train, validation, config.train)
    weights = network.trainable_variables
    arrays = _named("initial weights", weights, weights)

    batch = slice(config.train.batch_size)
    warped = augment(
        tf.constant(train.images[batch, ..., None], tf.float32) / 255.0, config.train.augment, tf.constant([42, 0])
    )
    with tf.GradientTape() as tape:
        logits = network(warped, training=True)
        smoothing, weight = config.train.label_smoothing, config.train.refusal_weight
        loss = tf.reduce_mean(image_losses(tf.constant(train.labels[batch]), logits, smoothing, weight))
    arrays |= {"first step: augmented images": warped.numpy(), "first step: logits": logits.numpy()}
    arrays |= _named("first step: gradients", weights, tape.gradient(loss, weights))

    order = np.random.default_rng(1).integers(0, len(train.labels), (n_steps, config.train.batch_size))
    trainer._run_steps(tf.constant(order[:1], tf.int32))  # builds the graph
    started = time.perf_counter()
    trainer._run_steps(tf.constant(order[1:], tf.int32))
    seconds = (time.perf_counter() - started) / max(1, n_steps - 1)
    arrays |= _named("trained weights", weights, weights)
    arrays |= _named("averaged weights", weights, trainer.average.trainable_variables)

    logits = predict_logits(trainer.average, validation.images)
    calibration = calibrate(logits, validation.labels, {"mnist": N_VALIDATION}, config.decision)
    answers = read_all(Reader(trainer.average, calibration), validation.images)
    arrays |= {"validation logits": logits}
    arrays |= {"calibration": np.array([calibration.temperature, *calibration.thresholds.values()])}
    return arrays | {f"answers/{name}": array for name, array in answers.items()}, seconds


def _named(group: str, variables: Iterable, values: Iterable) -> Arrays:
    """Return one array for each weight. Its name contains `group` and the path of the weight."""
    return {f"{group}/{one.path}": np.asarray(value) for one, value in zip(variables, values, strict=True)}


if __name__ == "__main__":
    main()
