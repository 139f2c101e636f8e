"""Encode answers of the Open Inference Protocol V2 with its binary extension."""

import msgspec
import orjson

from serving.model.card import OUTPUTS, ModelCard
from serving.model.predictor import Prediction
from serving.v2.messages import InferResponse, OutputTensor
from serving.v2.request import Asked

DATATYPES = {tensor.name: tensor.datatype for tensor in OUTPUTS}


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
