import numpy as np

from bench.latency import open_session, reference_file, summarize
from pipeline.base.paths import Outputs
from pipeline.config.values import load_config


def test_both_files_have_the_same_signature():
    files = {"ours": Outputs().model.read_bytes(), "reference": reference_file(load_config().export.opset)}
    sessions = {name: open_session(file) for name, file in files.items()}
    signatures = [
        [(value.name, value.type, value.shape) for value in (*session.get_inputs(), *session.get_outputs())]
        for session in sessions.values()
    ]
    assert signatures[0] == signatures[1]


def test_summarize():
    figures = summarize({"ours": np.array([10.0, 30.0, 20.0]), "reference": np.array([20.0, 20.0, 20.0])})
    assert (figures["ratio_median"], figures["ratio_fastest"]) == (1.0, 0.5)
    assert (figures["ours_median_us"], figures["ours_fastest_us"]) == (20.0, 10.0)
