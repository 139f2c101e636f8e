"""How the numbers are computed: instructions, threads, precision. Called once, before TensorFlow does any work."""

import logging
from pathlib import Path

import keras
import tensorflow as tf

from pipeline.config.schema import RuntimeConfig
from pipeline.runtime import pins

log = logging.getLogger(__name__)

CPU_INFO = Path("/proc/cpuinfo")
# Data is made alike, however it is trained on.
FOR_DATA = RuntimeConfig(mode="portable", threads=2, precision="float32", deterministic=True)


def set_up(config: RuntimeConfig, seed: int) -> None:
    """Fix what decides about the bits of a result, as far as it is set in the configuration.

    Raises:
        RuntimeError: TensorFlow has already started; its threads can't be changed any more.
    """
    pins.pin(config.mode)
    # Both pools: the number of threads decides how sums are cut, and so rounded.
    tf.config.threading.set_intra_op_parallelism_threads(config.threads)
    tf.config.threading.set_inter_op_parallelism_threads(config.threads)
    keras.utils.set_random_seed(seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.mixed_precision.set_global_policy(precision_for(config, CPU_INFO))


def precision_for(config: RuntimeConfig, cpu_info: Path) -> str:
    """The precision to train in, and where it was left open, a line that says which.

    Args:
        config: what is asked for.
        cpu_info: where Linux lists the processor's features; elsewhere the file is missing, and float32 is the answer.
    """
    if config.precision != "auto":
        return config.precision
    has_amx = cpu_info.exists() and "amx_bf16" in cpu_info.read_text()
    log.info(
        "training in %s: the processor has %s", "bfloat16" if has_amx else "float32", "AMX" if has_amx else "no AMX"
    )
    return "mixed_bfloat16" if has_amx else "float32"


def use_float32() -> None:
    """Build networks in float32 from here on: the precision of training is not that of use."""
    keras.mixed_precision.set_global_policy("float32")
