import numpy as np

from bench.int8 import compare_answers


def test_compare_answers():
    own, other = np.array([[0.6, 0.4], [0.9, 0.1]]), np.array([[0.4, 0.6], [0.85, 0.15]])
    assert compare_answers(own, other) == {"images": 2, "classes_changed": 1, "largest_difference": 0.2}
