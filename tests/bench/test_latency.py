import numpy as np

from bench.latency import summarize


def test_summarize():
    figures = summarize({"ours": np.array([10.0, 30.0, 20.0]), "reference": np.array([20.0, 20.0, 20.0])})
    assert (figures["ratio_median"], figures["ratio_fastest"]) == (1.0, 0.5)
    assert (figures["ours_median_us"], figures["ours_fastest_us"]) == (20.0, 10.0)
