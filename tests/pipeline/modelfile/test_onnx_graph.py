"""Test the conversion of graphs with a branch; other tests convert whole readers."""

import numpy as np
import onnxruntime
import tensorflow as tf

from pipeline.modelfile.onnx_graph import trace

SIGNATURE = [tf.TensorSpec([None, 3], tf.float32, name="values")]
DIMENSIONS = {"values": ("n", 3), "result": ("n", 3)}


def trace_branches():
    weights = np.arange(9, dtype=np.float32).reshape(3, 3)

    @tf.function(input_signature=SIGNATURE)
    def function(values):
        scaled = 2.0 * values
        result = tf.cond(tf.reduce_max(values) > 1.0, lambda: scaled @ weights + 1.0, lambda: scaled - values)
        return {"result": tf.identity(result, "result")}

    return trace(function, SIGNATURE, DIMENSIONS, opset=18)


def test_both_branches_are_converted_to_the_same_nodes_each_time():
    model, again = trace_branches(), trace_branches()
    assert list(model.graph.node) == list(again.graph.node)
    (node,) = (node for node in model.graph.node if node.op_type == "If")
    inside = {inner.name for attribute in node.attribute for inner in attribute.g.node}
    assert {"if_0_then_matmul_0", "if_0_then_add_0", "if_0_else_sub_0"} <= inside
    model.ir_version = 10
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    low, high = np.full((2, 3), 0.5, np.float32), np.full((2, 3), 1.5, np.float32)
    np.testing.assert_allclose(session.run(None, {"values": low})[0], low)
    expected = 2 * high @ np.arange(9).reshape(3, 3) + 1
    np.testing.assert_allclose(session.run(None, {"values": high})[0], expected)
