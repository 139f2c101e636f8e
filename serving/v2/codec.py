"""Parse requests of the Open Inference Protocol V2, and encode their answers, with its binary extension."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import msgspec
import numpy as np
import orjson
from msgspec import UNSET

from serving.errors import BadRequestError, NotFoundError, TooLargeError
from serving.http.decoding import decoded
from serving.model.card import FEATURES, INPUTS, OUTPUTS, ModelCard
from serving.model.predictor import Prediction
from serving.queue.engine import Images
from serving.v2.messages import Data, InferRequest, InferResponse, InputTensor, OutputTensor, RequestedOutput

# As text, a picture takes four times its bytes, and its content becomes objects: at this limit, 50 MB.
MAX_JSON_BYTES = 2 * 2**20

# Lists and objects cost the most: without a limit, 2 MB of them would hold up all other requests for 250 ms.
MAX_JSON_CONTAINERS = 2**15

# Each image is answered by 844 bytes however small it is, so a limit of pixels would not limit the answer.
MAX_IMAGES = 1024

# As JSON, the features of this many images take as long to write as all other outputs of `MAX_IMAGES`: 10 ms.
MAX_FEATURE_IMAGES = 256

IMAGE = INPUTS[0]
DATATYPES = {tensor.name: tensor.datatype for tensor in OUTPUTS}
DECODER = msgspec.json.Decoder(InferRequest)

T = TypeVar("T")


@dataclass(slots=True)
class Asked:
    """A valid request.

    Attributes:
        images: uint8 [n, h, w], each at least 1; not writable if they are the bytes of the body.
        outputs: by the name of each output, whether it is sent as bytes after the JSON.
        id: repeated in the answer.
        timeout_s: for the whole answer.
    """

    images: Images
    outputs: dict[str, bool]
    id: str | msgspec.UnsetType = UNSET
    timeout_s: float = math.inf


def parse(body: bytes, header_length: bytes | None, max_pixels: int, available: Sequence[str]) -> Asked:
    """Parse the request in a body.

    Args:
        body: not compressed.
        header_length: the header Inference-Header-Content-Length, the length of the JSON before the binary data. None:
            the whole body is JSON.
        max_pixels: limit of all images together.
        available: names of the model's outputs.
    """
    n_json = len(body) if header_length is None else _header_length(header_length, len(body))
    request = decode_json(DECODER, body[:n_json])
    timeout_us = request.parameters.timeout
    images = _images(request.inputs[0], body, n_json, max_pixels)
    outputs = _outputs(request.outputs, request.parameters.binary_data_output, available)
    if FEATURES in outputs and len(images) > MAX_FEATURE_IMAGES:
        raise TooLargeError(f"A request for the output {FEATURES!r} may have at most {MAX_FEATURE_IMAGES} images.")
    return Asked(
        images,
        outputs,
        request.id,
        timeout_us / 1e6 if timeout_us else math.inf,
    )


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


def decode_json(decoder: msgspec.json.Decoder[T], text: bytes) -> T:
    """Decode JSON within `MAX_JSON_BYTES` and `MAX_JSON_CONTAINERS`."""
    if len(text) > MAX_JSON_BYTES or text.count(b"[") + text.count(b"{") > MAX_JSON_CONTAINERS:
        raise TooLargeError(
            f"The JSON is too large: the limits are {MAX_JSON_BYTES} bytes, and {MAX_JSON_CONTAINERS} lists and "
            "objects. Send the tensor as binary data."
        )
    return decoded(decoder, text)


def _header_length(text: bytes, n_bytes: int) -> int:
    # No length has twenty digits, and int() refuses thousands of them.
    if not text.isdigit() or len(text) > 20 or int(text) > n_bytes:
        raise BadRequestError(
            f"Inference-Header-Content-Length must be from 0 to {n_bytes}, the length of the body (not compressed)."
        )
    return int(text)


def _images(tensor: InputTensor, body: bytes, n_json: int, max_pixels: int) -> Images:
    if (tensor.name, tensor.datatype) != (IMAGE.name, IMAGE.datatype):
        raise BadRequestError(f"The `name` of the input must be {IMAGE.name!r}, and its `datatype` {IMAGE.datatype!r}.")
    if tensor.shape[0] > MAX_IMAGES or math.prod(tensor.shape) > max_pixels:
        raise TooLargeError(f"A request may have at most {MAX_IMAGES} images with {max_pixels} pixels in all.")
    n_elements, n_binary, size = math.prod(tensor.shape), len(body) - n_json, tensor.parameters.binary_data_size
    if (size is UNSET) == (tensor.data is UNSET):
        raise BadRequestError("The input must have either `data` or a `binary_data_size`; there is no shared memory.")
    if tensor.data is not UNSET and not n_binary:
        return _levels(tensor.data, tensor.shape)
    if not size == n_binary == n_elements:
        raise BadRequestError(
            f"{n_binary} bytes follow the JSON. With `data` there must be none, and without it one for each of the "
            f"{n_elements} elements of the shape; the `binary_data_size` must be {n_elements}."
        )
    return np.frombuffer(body, np.uint8, offset=n_json).reshape(tensor.shape)


def _levels(data: Data, shape: tuple[int, int, int]) -> Images:
    """Return the levels in a list, flat or nested as the shape."""
    with suppress(TypeError, ValueError, IndexError):  # lists of different lengths, lists beside levels, no list
        # The values are checked already. For a flat list, bytearray() is several times as fast as numpy.
        is_flat = isinstance(data[0], int)
        levels = np.frombuffer(bytearray(data), np.uint8) if is_flat else np.array(data, np.uint8)  # type: ignore[arg-type]
        if levels.shape in (shape, (math.prod(shape),)):
            return levels.reshape(shape)
    raise BadRequestError(
        f"The `data` of the input must be {math.prod(shape)} levels, flat or nested as the shape {list(shape)}."
    )


def _outputs(requested: list[RequestedOutput], is_binary: bool, available: Sequence[str]) -> dict[str, bool]:
    if not requested:
        return {name: is_binary for name in available if name != FEATURES}
    outputs: dict[str, bool] = {}
    for output in requested:
        if output.name not in available:
            raise NotFoundError(f"The model file lacks one of the `outputs`; it has {list(available)}.")
        parameters = output.parameters
        if parameters.shared_memory_region is not UNSET or parameters.classification is not UNSET:
            raise BadRequestError(
                f"The service has no shared memory and no classification. Read the values of {output.name!r}."
            )
        outputs[output.name] = is_binary if parameters.binary_data is UNSET else parameters.binary_data
    return outputs
