"""The answers of the Open Inference Protocol V2: outputs with the binary extension, and statistics."""

import msgspec
import orjson

from serving.metrics import Metrics
from serving.model.card import OUTPUTS, ModelCard
from serving.model.predictor import Prediction
from serving.v2.messages import Duration, InferResponse, ModelStatistics, OutputTensor
from serving.v2.request import Asked

DATATYPES = {tensor.name: tensor.datatype for tensor in OUTPUTS}

# The protocol's name of each step, and ours.
STEPS = {
    "success": "total",
    "fail": "refused",
    "queue": "queue",
    "compute_input": "decode",
    "compute_infer": "infer",
    "compute_output": "encode",
}


def encode(asked: Asked, prediction: Prediction, card: ModelCard) -> tuple[bytes, int | None]:
    """Return the body of the answer, and the length of the JSON before the binary data; None if all is JSON.

    Binary data is little-endian, like the processors that the service runs on.
    """
    tensors: list[OutputTensor] = []
    blobs: list[bytes] = []
    for name, is_binary in asked.outputs.items():
        values = getattr(prediction, name)
        tensor = OutputTensor(name, DATATYPES[name], values.shape)
        if is_binary:
            blobs.append(values.tobytes())
            tensor.parameters = {"binary_data_size": len(blobs[-1])}
        else:
            # orjson writes float32 values with only the digits that they need.
            tensor.data = msgspec.Raw(orjson.dumps(values.ravel(), option=orjson.OPT_SERIALIZE_NUMPY))
        tensors.append(tensor)
    header = msgspec.json.encode(InferResponse(card.name, card.version, tensors, asked.id))
    return (b"".join([header, *blobs]), len(header)) if blobs else (header, None)


def statistics_of(card: ModelCard, metrics: Metrics) -> ModelStatistics:
    """Return the statistics since the service started, under the name and version of the model in use."""
    stages = metrics.read(metrics.stages)
    steps = {step: metrics.stages.count_and_sum(stages, stage) for step, stage in STEPS.items()}
    return ModelStatistics(
        card.name,
        card.version,
        last_inference=round(1000 * metrics.read(metrics.last_run)[0]),
        inference_count=round(metrics.read(metrics.images)[0]),
        execution_count=round(sum(metrics.read(metrics.runs))),
        inference_stats={
            step: Duration(round(count), round(1e9 * seconds)) for step, (count, seconds) in steps.items()
        },
    )
