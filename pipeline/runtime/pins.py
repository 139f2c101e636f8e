"""Pin the environment variables that affect the last bits of a result.

Processors with wider registers add in a different order, which rounds a sum differently. So numpy and oneDNN,
TensorFlow's library for networks, are restricted to AVX2 and FMA, which every x86-64 processor since 2013 has.
"""

import os
from typing import Literal

# Read when numpy and TensorFlow are loaded, before the mode is known. They slow the training down only a little.
AT_LOADING = {
    # The loops for AVX-512 round exp, log and powers differently.
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_NUM_THREADS": "1",
    # By default TensorFlow uses oneDNN only on processors with fast 8-bit integer arithmetic.
    "TF_ENABLE_ONEDNN_OPTS": "1",
}
# Read at oneDNN's first operation.
AT_FIRST_USE = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ONEDNN_DEFAULT_FPMATH_MODE": "STRICT",  # no bfloat16 in place of float32
}


def pin_loading() -> None:
    """Set the variables that numpy and TensorFlow read when they are loaded."""
    os.environ.update(AT_LOADING)
    # numpy accepts either a list of enabled features or one of disabled features.
    os.environ.pop("NPY_ENABLE_CPU_FEATURES", None)
    # Hide TensorFlow's notes on processor features, not its warnings.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")


def pin(mode: Literal["portable", "fast"]) -> None:
    """Set the variables that are read at the first operation, if the mode is portable."""
    if mode == "portable":
        os.environ.update(AT_FIRST_USE)
        os.environ.pop("TF_XLA_FLAGS", None)  # XLA compiles operations for this processor
