import numpy as np

from bench.bits import compare


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
