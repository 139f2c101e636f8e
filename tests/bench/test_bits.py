import shutil
import subprocess
import sys

import numpy as np
import pytest

from bench.bits import ONE_CORE, Condition, compare, probe


def test_compare_by_bits_and_kind():
    expected = {"weights/a": np.array([0.0, 1.0]), "weights/b": np.array([2.0]), "images": np.array([7], np.uint8)}
    assert compare(expected, expected) == {"equal": True, "differing": {}}
    found = expected | {"weights/b": np.array([2.5]), "images": np.array([5], np.uint8)}
    differing = {
        "weights": {"arrays": 1, "of": 2, "largest": 0.5},
        "images": {"arrays": 1, "of": 1, "largest": 2.0},
    }
    assert compare(expected, found) == {"equal": False, "differing": differing}
    assert not compare({"weights": np.array([0.0])}, {"weights": np.array([-0.0])})["equal"]


WATCH = """
import sys

class Watch:
    def find_spec(name, *_):
        if name in ("numpy", "pipeline"):
            print(name)

sys.meta_path.insert(0, Watch)
import bench
"""


def test_numpy_is_loaded_after_the_variables_that_it_reads_are_set():
    run = subprocess.run([sys.executable, "-c", WATCH], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["pipeline", "numpy"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not shutil.which("taskset"), reason="needs taskset, which Linux has")
def test_the_environment_does_not_change_the_bits_of_mode_portable():
    environment = {
        "TF_ENABLE_ONEDNN_OPTS": "0", "ONEDNN_MAX_CPU_ISA": "SSE41", "DNNL_MAX_CPU_ISA": "SSE41",
        "ONEDNN_DEFAULT_FPMATH_MODE": "BF16", "NPY_DISABLE_CPU_FEATURES": "X86_V3", "OPENBLAS_CORETYPE": "Nehalem",
        "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    expected, _ = probe(Condition(), 3)
    found, _ = probe(Condition(ONE_CORE, environment), 3)
    assert compare(expected, found) == {"equal": True, "differing": {}}
    # The comparison can fail: another number of threads changes the order of sums.
    other, _ = probe(Condition(overrides=("runtime.threads=4",)), 3)
    assert compare(expected, other)["differing"].keys() >= {"trained weights"}
