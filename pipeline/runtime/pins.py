"""What decides about the last bits of a result and is read from the environment, before Python has a say.

A sum is rounded in the order in which it is added, and processors with wider registers add in another. So numpy and
TensorFlow's library for networks, oneDNN, are held to what every x86-64 processor since 2013 has: AVX2 and FMA.
"""

import os
from typing import Literal

Mode = Literal["portable", "fast"]

# Read when numpy and TensorFlow are loaded, so they are set for both modes when the package `pipeline` is: what they
# cost is little beside the training.
AT_LOADING = {
    # The loops for AVX-512 round exp, log and powers otherwise; a processor without them has nothing to leave.
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_NUM_THREADS": "1",
    # Left alone, TensorFlow turns oneDNN on for processors that multiply small integers fast, and off for others.
    "TF_ENABLE_ONEDNN_OPTS": "1",
}
# Read at oneDNN's first operation, so that the configuration may decide.
AT_FIRST_USE = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ONEDNN_DEFAULT_FPMATH_MODE": "STRICT",  # float32 stays float32 where the processor would be faster in bfloat16
}
# Asks for a compiler that writes its own operations for this processor.
NOT_PORTABLE = ("TF_XLA_FLAGS",)


def pin_loading() -> None:
    """Set what is read when numpy and TensorFlow are loaded, whatever the environment says."""
    os.environ.update(AT_LOADING)


def pin(mode: Mode) -> None:
    """Set what is read at the first operation: portable, whatever the environment says; fast, as it says."""
    if mode == "portable":
        os.environ.update(AT_FIRST_USE)
        for name in NOT_PORTABLE:
            os.environ.pop(name, None)
