import numpy as np
import onnx
import pytest

from bench.int8 import compare_answers, quantize
from bench.latency import open_session
from pipeline.base.paths import Outputs
from pipeline.registry.latency import one


@pytest.mark.filterwarnings("default")
def test_only_the_convolutions_are_quantised():
    file, images = Outputs().model, np.repeat(one(28), 100, axis=0)
    content = quantize(file, images)
    inputs = {
        name for node in onnx.load_from_string(content).graph.node if node.op_type == "Conv" for name in node.input
    }
    made_by = {name: node.op_type for node in onnx.load_from_string(content).graph.node for name in node.output}
    assert {made_by.get(name) for name in inputs} == {"DequantizeLinear"}
    own, other = (open_session(model).run(None, {"image": one(280)}) for model in (file.read_bytes(), content))
    assert own[0].argmax() == other[0].argmax()
    assert (own[2] == other[2]).all()
    assert (own[3] == other[3]).all()


def test_compare_answers():
    own, other = np.array([[0.6, 0.4], [0.9, 0.1]]), np.array([[0.4, 0.6], [0.85, 0.15]])
    assert compare_answers(own, other) == {"images": 2, "classes_changed": 1, "largest_difference": 0.2}
