"""Set threads, precision and instruction sets, once per process, before TensorFlow starts."""

import keras
import tensorflow as tf

from pipeline.config.schema import RuntimeConfig
from pipeline.runtime import pins

# `prepare` does not depend on the training's runtime.
FOR_DATA = RuntimeConfig(mode="portable", threads=2, precision="float32", deterministic=True)


def set_up(config: RuntimeConfig, seed: int) -> None:
    """Set everything that affects the bits of a result: instruction sets, threads, seed, determinism and precision.

    Raises:
        RuntimeError: TensorFlow has already started, so its threads cannot be changed.
    """
    pins.pin(config.mode)
    # The number of threads determines how sums are split, and thus how they are rounded.
    tf.config.threading.set_intra_op_parallelism_threads(config.threads)
    tf.config.threading.set_inter_op_parallelism_threads(config.threads)
    keras.utils.set_random_seed(seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.mixed_precision.set_global_policy(config.precision)


def use_float32() -> None:
    """Build all networks in float32 from now on. Only the training may use another precision."""
    keras.mixed_precision.set_global_policy("float32")
