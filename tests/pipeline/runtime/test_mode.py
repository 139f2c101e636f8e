import os
import subprocess
import sys

import pytest

from pipeline.base.paths import ROOT
from pipeline.runtime.pins import AT_FIRST_USE, AT_LOADING, pin

OTHER = {"TF_ENABLE_ONEDNN_OPTS": "0", "ONEDNN_MAX_CPU_ISA": "SSE41", "OPENBLAS_CORETYPE": "Nehalem"}


def run(code, environment):
    environment = os.environ | OTHER | environment
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def test_importing_the_pipeline_pins_numpy_before_it_is_loaded():
    code = (
        "import os, sys; import pipeline; print({'numpy', 'tensorflow'} & sys.modules.keys() or 'none'); import numpy;"
        "features = numpy._core._multiarray_umath.__cpu_features__;"
        "print(any(features[name] for name in ('X86_V4', 'AVX512_ICL', 'AVX512_SPR')));"
        f"print({{name: os.environ[name] for name in {list(AT_LOADING)}}} == {AT_LOADING})"
    )
    printed = run(code, {"NPY_DISABLE_CPU_FEATURES": "", "NPY_ENABLE_CPU_FEATURES": "X86_V3"})
    assert printed.split() == ["none", "False", "True"]


@pytest.mark.parametrize("mode", ["portable", "fast"])
def test_only_portable_overrides_the_environment(mode, monkeypatch):
    for name in (*AT_FIRST_USE, "TF_XLA_FLAGS"):
        monkeypatch.setenv(name, "other")
    pin(mode)
    assert {os.environ[name] == value for name, value in AT_FIRST_USE.items()} == {mode == "portable"}
    assert ("TF_XLA_FLAGS" in os.environ) == (mode == "fast")


@pytest.mark.slow
def test_the_mode_pins_onednn_after_tensorflow_is_loaded():
    code = (
        "from pipeline.config.values import load_config; from pipeline.runtime.mode import set_up, tf;"
        "set_up(load_config().runtime, 0); tf.matmul(tf.ones((64, 64)), tf.ones((64, 64)))"
    )
    assert "isa:Intel AVX2" in run(code, {"ONEDNN_VERBOSE": "1"})
