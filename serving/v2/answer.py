"""The answers of the Open Inference Protocol V2: outputs with the binary extension, and statistics."""

import msgspec
import orjson

from serving.metrics import BATCHES, Metrics
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
NOTHING = {"compute_input": Duration(0, 0), "compute_output": Duration(0, 0)}  # not measured by batch size


def encode(asked: Asked, prediction: Prediction, card: ModelCard) -> tuple[bytes, int | None]:
    """Return the body of the answer, and the length of the JSON before the binary data; None if all is JSON.

    Binary data is little-endian, like the processors that the service runs on.
    """
    tensors: list[OutputTensor] = []
    blobs: list[bytes] = []
    for name, is_binary in asked.outputs:
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
    stages, runs = metrics.read(metrics.stages), metrics.read(metrics.runs)
    timed = [run for run in zip(BATCHES, runs, metrics.read(metrics.run_seconds), strict=True) if run[1]]
    return ModelStatistics(
        card.name,
        card.version,
        last_inference=round(1000 * metrics.read(metrics.last_run)[0]),
        inference_count=round(metrics.read(metrics.images)[0]),
        execution_count=round(sum(runs)),
        inference_stats={
            step: _duration(*metrics.stages.count_and_sum(stages, stage)) for step, stage in STEPS.items()
        },
        batch_stats=[
            {"batch_size": int(size), **NOTHING, "compute_infer": _duration(*run)}
            for size, *run in timed
            if size.isdigit()
        ],
    )


def _duration(count: float, seconds: float) -> Duration:
    return Duration(round(count), round(1e9 * seconds))
