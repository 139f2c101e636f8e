"""How the numbers are computed: threads, determinism, precision. Called once, before TensorFlow does any work."""

import keras
import tensorflow as tf

from pipeline.config import RuntimeConfig


def set_up(config: RuntimeConfig, seed: int) -> None:
    """Fix what decides about the bits of a result, as far as it is set in the configuration.

    Raises:
        RuntimeError: TensorFlow has already started; its threads can't be changed any more.
    """
    # Both pools: the number of threads decides how sums are cut, and so rounded.
    tf.config.threading.set_intra_op_parallelism_threads(config.threads)
    tf.config.threading.set_inter_op_parallelism_threads(config.threads)
    keras.utils.set_random_seed(seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.mixed_precision.set_global_policy(config.precision)


def use_float32() -> None:
    """Build networks in float32 from here on: the precision of training is not that of use."""
    keras.mixed_precision.set_global_policy("float32")
