"""Set threads, precision and instruction sets, once per process, before TensorFlow starts."""

import logging
from pathlib import Path

import keras
import tensorflow as tf

from pipeline.config.schema import RuntimeConfig
from pipeline.runtime import pins

log = logging.getLogger(__name__)

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
    keras.mixed_precision.set_global_policy(precision_for(config))


def precision_for(config: RuntimeConfig, cpu_info: Path = Path("/proc/cpuinfo")) -> str:
    """Return the precision of the training. Log it if the configuration says "auto".

    Args:
        config: the requested precision.
        cpu_info: the processor's features on Linux. The file is missing on other systems, which use float32.
    """
    if config.precision != "auto":
        return config.precision
    has_amx = cpu_info.exists() and "amx_bf16" in cpu_info.read_text()
    log.info("training in %s: the processor has %s", *(("bfloat16", "AMX") if has_amx else ("float32", "no AMX")))
    return "mixed_bfloat16" if has_amx else "float32"


def use_float32() -> None:
    """Build all networks in float32 from now on. Only the training may use another precision."""
    keras.mixed_precision.set_global_policy("float32")
