"""The Open Inference Protocol V2 with its binary extension: the model's answer to bytes.

A binary tensor is little-endian, as all processors are that this runs on.
"""

from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from serving.model.card import OUTPUTS, ModelCard
from serving.model.predictor import Prediction
from serving.v2.request import InferRequest, RequestedOutput

DATATYPES = {tensor.name: tensor.datatype for tensor in OUTPUTS}


def encode(request: InferRequest, prediction: Prediction, card: ModelCard) -> tuple[bytes, int | None]:
    """The body of the answer, and how long the JSON in front of the binary data is; None where all is JSON."""
    tensors: list[dict[str, Any]] = []
    blobs: list[bytes] = []
    for output in request.outputs:
        values = getattr(prediction, output.name)
        if output.n_classes:
            tensor, blob = _classification(output, values, card.classes)
        else:
            tensor = {"name": output.name, "datatype": DATATYPES[output.name], "shape": values.shape}
            blob = values.tobytes() if output.is_binary else b""
            tensor["data"] = values.ravel()
        if output.is_binary:
            del tensor["data"]
            tensor["parameters"] = {"binary_data_size": len(blob)}
            blobs.append(blob)
        tensors.append(tensor)
    document: dict[str, Any] = {"model_name": card.name, "model_version": card.version, "outputs": tensors}
    if request.id is not None:
        document["id"] = request.id
    # numpy's float32 are written as short as they can be read back.
    header = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    return (b"".join([header, *blobs]), len(header)) if blobs else (header, None)


def _classification(
    output: RequestedOutput, values: npt.NDArray[np.float32], classes: list[str]
) -> tuple[dict[str, Any], bytes]:
    """The best classes of each image as BYTES: "value:index:label", the best first."""
    best = np.argsort(-values, axis=1, kind="stable")[:, : output.n_classes]
    texts = [
        f"{value:.6f}:{index}:{classes[index]}"
        for value, index in zip(
            np.take_along_axis(values, best, axis=1).ravel().tolist(), best.ravel().tolist(), strict=True
        )
    ]
    tensor = {"name": output.name, "datatype": "BYTES", "shape": best.shape, "data": texts}
    encoded = [text.encode() for text in texts]
    return tensor, b"".join(chain.from_iterable((len(text).to_bytes(4, "little"), text) for text in encoded))
