import logging
import os
import subprocess
import sys

import pytest

from pipeline.base.paths import ROOT
from pipeline.config.values import load_config
from pipeline.runtime.mode import precision_for
from pipeline.runtime.pins import AT_FIRST_USE, AT_LOADING, pin


@pytest.mark.parametrize(
    ("asked", "cpu_info", "precision"),
    [
        ("float32", "flags : amx_bf16", "float32"),
        ("mixed_bfloat16", "flags : sse2", "mixed_bfloat16"),
        ("auto", "flags : avx512_bf16 amx_bf16 amx_tile", "mixed_bfloat16"),
        ("auto", "flags : avx512_bf16", "float32"),
        ("auto", None, "float32"),
    ],
)
def test_bfloat16_is_taken_where_the_processor_has_amx_and_it_is_left_open(
    asked, cpu_info, precision, tmp_path, caplog
):
    file = tmp_path / "cpuinfo"
    if cpu_info is not None:
        file.write_text(cpu_info)
    with caplog.at_level(logging.INFO):
        assert (
            precision_for(load_config(["runtime.mode=fast", f"runtime.precision={asked}"]).runtime, file) == precision
        )
    assert ("AMX" in caplog.text) == (asked == "auto")


OTHERWISE = {"TF_ENABLE_ONEDNN_OPTS": "0", "ONEDNN_MAX_CPU_ISA": "SSE41", "OPENBLAS_CORETYPE": "Nehalem"}


def run(code, environment):
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_numpy_is_pinned_by_whatever_of_the_pipeline_is_loaded_first():
    code = (
        "import os, sys; import pipeline; print({'numpy', 'tensorflow'} & sys.modules.keys() or 'none'); import numpy;"
        "features = numpy._core._multiarray_umath.__cpu_features__;"
        "print(any(features[name] for name in ('X86_V4', 'AVX512_ICL', 'AVX512_SPR')));"
        f"print({{name: os.environ[name] for name in {list(AT_LOADING)}}} == {AT_LOADING})"
    )
    assert run(code, OTHERWISE | {"NPY_DISABLE_CPU_FEATURES": "", "NPY_ENABLE_CPU_FEATURES": "X86_V3"}).split() == [
        "none",
        "False",
        "True",
    ]


@pytest.mark.parametrize("mode", ["portable", "fast"])
def test_portable_takes_the_environment_back_and_fast_leaves_it(mode, monkeypatch):
    for name in (*AT_FIRST_USE, "TF_XLA_FLAGS"):
        monkeypatch.setenv(name, "other")
    pin(mode)
    is_pinned = {os.environ[name] == value for name, value in AT_FIRST_USE.items()}
    assert is_pinned == {mode == "portable"}
    assert ("TF_XLA_FLAGS" in os.environ) == (mode == "fast")


@pytest.mark.slow
def test_onednn_obeys_although_tensorflow_is_already_loaded():
    code = (
        "from pipeline.config.values import load_config; from pipeline.runtime.mode import set_up, tf;"
        "set_up(load_config().runtime, 0); tf.matmul(tf.ones((64, 64)), tf.ones((64, 64)))"
    )
    assert "isa:Intel AVX2" in run(code, OTHERWISE | {"ONEDNN_VERBOSE": "1"})
