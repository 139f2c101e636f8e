import logging

import pytest

from pipeline.config import load_config
from pipeline.runtime import precision_for


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
        assert precision_for(load_config([f"runtime.precision={asked}"]).runtime, file) == precision
    assert ("AMX" in caplog.text) == (asked == "auto")
