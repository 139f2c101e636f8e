"""Stands in for Triton's onnxruntime backend where a Triton has its Python backend alone.

Triton finds it under the backend's name, so the repository is served as it is: Triton reads the configuration, batches,
reshapes and classifies; only the session is opened here. It refuses a configuration that the file contradicts.
"""

import json
import os
import sys
from pathlib import Path

# Triton starts its Python isolated, without the packages that the variable names.
sys.path += os.environ["PYTHONPATH"].split(":")

import numpy as np
import onnxruntime
import triton_python_backend_utils as triton

TYPES = {"TYPE_UINT8": "tensor(uint8)", "TYPE_FP32": "tensor(float)"}


class TritonPythonModel:
    """One instance of the model, as the Python backend calls it."""

    def initialize(self, arguments):
        config = json.loads(arguments["model_config"])
        parameters = {name: value["string_value"] for name, value in config["parameters"].items()}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(parameters["intra_op_thread_count"])
        options.inter_op_num_threads = int(parameters["inter_op_thread_count"])
        path = Path(arguments["model_repository"], arguments["model_version"], "model.onnx")
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        for said, found in (
            (config["input"], self.session.get_inputs()),
            (config["output"], self.session.get_outputs()),
        ):
            of_config = {tensor["name"]: (TYPES[tensor["data_type"]], dims(tensor)) for tensor in said}
            of_file = {node.name: (node.type, lengths(node.shape[1:])) for node in found}
            if of_config != of_file:
                raise triton.TritonModelException(f"the configuration says {of_config}, the file {of_file}")
        self.names = [node.name for node in self.session.get_outputs()]
        self.input = self.session.get_inputs()[0].name

    def execute(self, requests):
        """All requests that Triton made a batch of, in one run."""
        images = [triton.get_input_tensor_by_name(request, self.input).as_numpy() for request in requests]
        outputs = self.session.run(self.names, {self.input: np.concatenate(images)})
        ends = np.cumsum([len(each) for each in images])[:-1]
        parts = zip(*(np.split(output, ends) for output in outputs), strict=True)
        return [
            triton.InferenceResponse([triton.Tensor(*named) for named in zip(self.names, part, strict=True)])
            for part in parts
        ]


def dims(tensor):
    """What the file has to say of a tensor, without the batch."""
    return [int(length) for length in tensor.get("reshape", tensor).get("shape", tensor["dims"])]


def lengths(shape):
    """A shape with -1 where any length goes."""
    return [length if isinstance(length, int) else -1 for length in shape]
