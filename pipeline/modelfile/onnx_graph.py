"""Convert TensorFlow graphs to ONNX models whose bytes depend only on the weights and the code.

The functions below correct three habits of tf2onnx: it puts layer numbers into names, orders the nodes by these names,
and computes some shapes at run time.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from onnx import GraphProto, ModelProto, helper, numpy_helper, shape_inference

from pipeline.base.classes import N_CLASSES
from pipeline.reader.model import SIGNATURE, Reader

DIMENSIONS = {
    "image": ("batch", "height", "width"),
    "probabilities": ("batch", N_CLASSES),
    "digit_score": ("batch",),
    "normalized": ("batch", 28, 28),
    "box": ("batch", 4),
}
logging.getLogger("tf2onnx").setLevel(logging.WARNING)  # it reports the steps of each conversion
IR_VERSION = 10  # the lowest version that supports all opsets in use; older runtimes read it too


def convert(reader: Reader, opset: int, metadata: dict[str, str]) -> ModelProto:
    """Convert the reader to a checked ONNX model with symbolic batch, height and width."""
    dimensions = DIMENSIONS | ({"features": ("batch", reader.n_features)} if reader.n_features else {})
    model = trace(reader.read, SIGNATURE, dimensions, opset)
    used = {node.domain for node in model.graph.node}
    for unused in [item for item in model.opset_import if item.domain not in used]:
        model.opset_import.remove(unused)
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version = "inkling", ""
    model.graph.name, model.graph.doc_string = "digits", ""
    helper.set_model_props(model, dict(sorted(metadata.items())))
    onnx.checker.check_model(model, full_check=True)
    return model


def trace(
    function: tf.types.experimental.PolymorphicFunction,
    signature: Sequence[tf.TensorSpec],
    dimensions: Mapping[str, Sequence[str | int]],
    opset: int,
) -> ModelProto:
    """Convert a TensorFlow function to an ONNX model that depends only on what the function computes.

    Args:
        function: returns tensors by name.
        signature: its inputs.
        dimensions: shapes of inputs and outputs by name; the outputs get the order of this mapping.
        opset: the ONNX opset.
    """
    model, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=opset)
    _declare_shapes(model, dimensions)
    _fold_reshapes(model)
    _sort(model.graph)
    _rename(model.graph, {value.name: value.name for value in [*model.graph.input, *model.graph.output]})
    return model


def _declare_shapes(model: ModelProto, dimensions: Mapping[str, Sequence[str | int]]) -> None:
    del model.graph.value_info[:]
    for value in [*model.graph.input, *model.graph.output]:
        kind = value.type.tensor_type.elem_type
        value.CopyFrom(helper.make_tensor_value_info(value.name, kind, dimensions[value.name]))
    # In the given order, because the converter's differs.
    model.graph.output.sort(key=lambda value: list(dimensions).index(value.name))


def _fold_reshapes(model: ModelProto) -> None:
    """Replace the computed target shape of a reshape by a constant, if only the batch size is unknown."""
    inferred = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    shapes = {value.name: _shape(value) for value in [*inferred.value_info, *inferred.output]}
    constants = {constant.name for constant in model.graph.initializer}
    for number, node in enumerate(node for node in model.graph.node if node.op_type == "Reshape"):
        shape = shapes.get(node.output[0], [])
        if node.input[1] not in constants and shape.count(-1) == 1:
            name = f"reshape_target_{number}"
            model.graph.initializer.append(numpy_helper.from_array(np.array(shape, np.int64), name))
            node.input[1] = name


def _shape(value: onnx.ValueInfoProto) -> list[int]:
    dimensions = value.type.tensor_type.shape.dim
    return [dimension.dim_value if dimension.HasField("dim_value") else -1 for dimension in dimensions]


def _sort(graph: GraphProto) -> None:
    """Sort the nodes by their first use for an output. Drop nodes and constants that no output needs."""
    made_by = {name: node for node in graph.node for name in node.output}
    ordered: dict[str, onnx.NodeProto] = {}  # by first output

    def visit(name: str) -> None:
        node = made_by.get(name)
        if node and node.output[0] not in ordered:
            for needed in _inputs(node):
                visit(needed)
            ordered[node.output[0]] = node

    for value in graph.output:
        visit(value.name)
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in ordered.values()]
    del graph.node[:]
    graph.node.extend(copies)
    used = {name for node in graph.node for name in _inputs(node)}
    for constant in [constant for constant in graph.initializer if constant.name not in used]:
        graph.initializer.remove(constant)
    for _, branch in _branches(graph.node):
        _sort(branch)


def _rename(graph: GraphProto, names: Mapping[str, str], prefix: str = "") -> None:
    """Name nodes by kind and number, and values after their node. Sort the constants by name.

    Args:
        graph: changed in place.
        names: new names of the values that are known so far.
        prefix: starts the names of all nodes.
    """
    names = dict(names)
    constants = {constant.name for constant in graph.initializer}
    counts: Counter[str] = Counter()
    for node in graph.node:
        node.name = f"{prefix}{node.op_type.lower()}_{counts[node.op_type]}"
        counts[node.op_type] += 1
        for position, name in enumerate(_inputs(node)):
            if name in constants:
                names.setdefault(name, f"{node.name}_in_{position}")
        for branch_name, branch in _branches([node]):
            branch.name = f"{node.name}_{branch_name.removesuffix('_branch')}"
            del branch.value_info[:]
            for dimension in [part for value in branch.output for part in value.type.tensor_type.shape.dim]:
                dimension.ClearField("dim_param")  # a number that the converter counts up
            _rename(branch, names, f"{branch.name}_")
        for position, name in enumerate(node.output):
            names.setdefault(name, f"{node.name}_out_{position}")
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    for value in [*graph.initializer, *graph.output]:
        value.name = names[value.name]
    graph.initializer.sort(key=lambda constant: constant.name)


def _branches(nodes: Iterable[onnx.NodeProto]) -> list[tuple[str, GraphProto]]:
    """Return the graphs inside `If` nodes, with the names of their attributes."""
    return [(part.name, part.g) for node in nodes for part in node.attribute if part.type == onnx.AttributeProto.GRAPH]


def _inputs(node: onnx.NodeProto) -> list[str]:
    """Return the names of all values that a node and the graphs inside it read."""
    inside = [graph for _, graph in _branches([node])]
    return [*node.input, *(name for graph in inside for inner in graph.node for name in _inputs(inner))]
