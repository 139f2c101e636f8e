import numpy as np
import pytest

from pipeline.intervals import proportion, wilson


def test_wilson_s_interval():
    # Newcombe, 1998, table I.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=1e-4)


def test_a_proportion_lies_in_its_interval():
    found = proportion("refused", np.arange(100) < 90)
    assert found["refused"] == 0.9
    assert 0.8 < found["refused_low"] < 0.9 < found["refused_high"] < 1
