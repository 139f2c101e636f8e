"""The Open Inference Protocol V2 with its binary extension: the bytes of a request to what is asked of the model.

`read_card` checks every model against the signature in `serving.model.card`, which is the contract of the requests.
"""

import math
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import orjson

from serving.errors import BadRequestError, TooLargeError
from serving.model.card import INPUTS, OUTPUTS
from serving.queue.engine import Images

# As text, a picture takes four times its bytes, and what it holds become objects: at this limit, 50 MB.
MAX_JSON_BYTES = 2 * 2**20

# Lists and objects cost the most: without a limit, 2 MB of them would hold up everyone else for 250 ms.
MAX_JSON_CONTAINERS = 2**15

# Each image is answered by 844 bytes however small it is, so pixels alone would not limit the answer.
MAX_IMAGES = 1024

IMAGE = INPUTS[0]
OUTPUT_NAMES = [tensor.name for tensor in OUTPUTS]

# The output whose values belong to the classes.
CLASSIFIED = "probabilities"


@dataclass(frozen=True, slots=True)
class RequestedOutput:
    """One output that the client wants.

    Attributes:
        name: of the model's output.
        is_binary: as bytes after the JSON, else as numbers in it.
        n_classes: so many best classes as text instead of the values; 0 for the values.
    """

    name: str
    is_binary: bool
    n_classes: int


ALL_JSON = [RequestedOutput(name, False, 0) for name in OUTPUT_NAMES]
ALL_BINARY = [RequestedOutput(name, True, 0) for name in OUTPUT_NAMES]


@dataclass(slots=True)
class InferRequest:
    """A request that keeps the contract.

    Attributes:
        id: to be repeated in the answer, or None.
        images: uint8 [n, h, w], each at least 1; not writable where they are the body's own bytes.
        timeout_s: for the whole answer; infinite where none was given.
        outputs: in the order of the answer.
    """

    id: str | None
    images: Images
    timeout_s: float
    outputs: list[RequestedOutput]


def parse(body: bytes, header_length: bytes | None, max_pixels: int) -> InferRequest:
    """The request in a body.

    Args:
        body: not compressed.
        header_length: the header Inference-Header-Content-Length, which says how long the JSON in front is. None: all
            is JSON. 0 or no number: there is no JSON, the body is one square image.
        max_pixels: refuses more in all images together.

    Raises:
        BadRequestError: the request breaks the contract; the text names the field and what it may be.
        TooLargeError: JSON, pixels or images are above a limit.
    """
    if header_length is None:
        n_json = len(body)
    else:
        n_json = _header_length(header_length, len(body))
        if n_json == 0:
            return InferRequest(None, _square(body, max_pixels), math.inf, ALL_BINARY)
    document = parse_object(body[:n_json])
    parameters = _parameters(document, "The request")
    request_id = document.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise BadRequestError("`id` must be a text.")
    return InferRequest(
        request_id,
        _images(document, body, n_json, max_pixels),
        _timeout_s(parameters),
        _outputs(document, _flag(parameters, "binary_data_output", default=False)),
    )


def parse_object(text: bytes) -> dict[str, Any]:
    """The JSON object in a text.

    Raises:
        BadRequestError: it is no JSON, or no object.
        TooLargeError: it is above `MAX_JSON_BYTES` or `MAX_JSON_CONTAINERS`.
    """
    if len(text) > MAX_JSON_BYTES or text.count(b"[") + text.count(b"{") > MAX_JSON_CONTAINERS:
        raise TooLargeError(
            f"The JSON is too large: at most {MAX_JSON_BYTES} bytes and {MAX_JSON_CONTAINERS} lists and objects are "
            "read. Send the tensor as binary data."
        )
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadRequestError(f"The JSON in the body ({len(text)} bytes) cannot be read.") from None
    if not isinstance(document, dict):
        raise BadRequestError("The JSON in the body must be an object.")
    return document


def _header_length(text: bytes, n_bytes: int) -> int:
    if text.removeprefix(b"-").isdigit():
        # No length has twenty digits, and int() refuses some thousands of them.
        if text.startswith(b"-") or len(text) > 20 or int(text) > n_bytes:
            raise BadRequestError(
                f"Inference-Header-Content-Length must be from 0 to {n_bytes}, the length of the body (not compressed)."
            )
        return int(text)
    return 0


def _square(body: bytes, max_pixels: int) -> Images:
    side = math.isqrt(len(body))
    if not body or side * side != len(body):
        raise BadRequestError(
            f"A body without JSON is one square grey image, side x side bytes, as 784 for 28 x 28; {len(body)} bytes "
            "are not. Any other needs its shape: send it in JSON first, and that one's Inference-Header-Content-Length."
        )
    _check_size((1, side, side), max_pixels)
    return np.frombuffer(body, np.uint8).reshape(1, side, side)


def _images(document: dict[str, Any], body: bytes, n_json: int, max_pixels: int) -> Images:
    tensors = document.get("inputs")
    if not isinstance(tensors, list) or len(tensors) != 1 or not isinstance(tensors[0], dict):
        raise BadRequestError(f"`inputs` must be a list of one object, the tensor {IMAGE.name!r}.")
    tensor = tensors[0]
    if tensor.get("name") != IMAGE.name:
        raise BadRequestError(f"The input's `name` must be {IMAGE.name!r}; the model has no other.")
    if tensor.get("datatype") != IMAGE.datatype:
        raise BadRequestError(f"The `datatype` of input {IMAGE.name!r} must be {IMAGE.datatype!r}.")
    shape = _shape(tensor.get("shape"), max_pixels)
    n_elements = math.prod(shape)
    n_binary = len(body) - n_json
    parameters = _parameters(tensor, "The input")
    if "binary_data_size" not in parameters:
        if n_binary:
            raise BadRequestError(f"{n_binary} bytes follow the JSON, but no input has a `binary_data_size`.")
        return np.frombuffer(_elements(tensor.get("data"), shape), np.uint8).reshape(shape)
    if "data" in tensor:
        raise BadRequestError(f"Input {IMAGE.name!r} has both `data` and a `binary_data_size`; send one of them.")
    size = parameters["binary_data_size"]
    if type(size) is not int or size != n_elements:
        raise BadRequestError(
            f"The `binary_data_size` of input {IMAGE.name!r} must be {n_elements}, as its shape has {n_elements} bytes."
        )
    if n_binary != n_elements:
        raise BadRequestError(f"{n_binary} bytes follow the JSON; the shape of input {IMAGE.name!r} has {n_elements}.")
    return np.frombuffer(body, np.uint8, offset=n_json).reshape(shape)


def _shape(shape: object, max_pixels: int) -> tuple[int, int, int]:
    rank = len(IMAGE.shape)
    # By type: to Python, true is a number.
    if not isinstance(shape, list) or len(shape) != rank or any(type(n) is not int or n < 1 for n in shape):
        raise BadRequestError(
            f"The `shape` of input {IMAGE.name!r} must be {rank} whole numbers from 1: images, height, width."
        )
    n_images, height, width = shape
    _check_size((n_images, height, width), max_pixels)
    return n_images, height, width


def _check_size(shape: tuple[int, int, int], max_pixels: int) -> None:
    if shape[0] > MAX_IMAGES:
        raise TooLargeError(f"The request has too many images: at most {MAX_IMAGES} are taken. Send several requests.")
    if math.prod(shape) > max_pixels:
        raise TooLargeError(f"The request has too many pixels: at most {max_pixels} are taken. Send smaller images.")


def _elements(data: object, shape: tuple[int, int, int]) -> bytearray:
    """The bytes in a JSON list, flat or nested as the shape; no Python loop sees an element."""
    if isinstance(data, list):
        flat = _flat(data, shape) if data and isinstance(data[0], list) else data
        if len(flat) == math.prod(shape):
            # Refuses all but whole numbers from 0 to 255; those two that are numbers to Python alone have an e.
            with suppress(TypeError, ValueError):
                elements = bytearray(flat)
                if b"e" not in orjson.dumps(flat):
                    return elements
    raise BadRequestError(
        f"The `data` of input {IMAGE.name!r} must be {math.prod(shape)} whole numbers from 0 to 255, flat or nested as "
        "its shape. Binary data instead has a `binary_data_size`."
    )


def _flat(data: list[Any], shape: tuple[int, int, int]) -> list[Any]:
    """The elements of a list that is nested as the shape; nothing where it is not."""
    rows = [data]
    for length in shape[:-1]:
        if any(len(row) != length or set(map(type, row)) != {list} for row in rows):
            return []
        rows = list(chain.from_iterable(rows))
    return list(chain.from_iterable(rows)) if set(map(len, rows)) == {shape[-1]} else []


def _timeout_s(parameters: dict[str, Any]) -> float:
    timeout_us = parameters.get("timeout", 0)
    if type(timeout_us) is not int or timeout_us < 0:
        raise BadRequestError("The parameter `timeout` must be a whole number of microseconds, or 0 for none.")
    return timeout_us / 1e6 if timeout_us else math.inf


def _outputs(document: dict[str, Any], is_binary: bool) -> list[RequestedOutput]:
    tensors = document.get("outputs", [])
    if not isinstance(tensors, list):
        raise BadRequestError(f"`outputs` must be a list, with tensors of {OUTPUT_NAMES}.")
    if not tensors:
        return ALL_BINARY if is_binary else ALL_JSON
    outputs = []
    names = set(OUTPUT_NAMES)
    for tensor in tensors:
        name = tensor.get("name") if isinstance(tensor, dict) else None
        if not isinstance(name, str) or name not in names:
            raise BadRequestError(f"Each of `outputs` must be an object whose `name` is one of {OUTPUT_NAMES}, once.")
        names.remove(name)
        parameters = _parameters(tensor, "An output")
        is_binary_here = _flag(parameters, "binary_data", is_binary)
        outputs.append(RequestedOutput(name, is_binary_here, _n_classes(parameters, name)))
    return outputs


def _n_classes(parameters: dict[str, Any], name: str) -> int:
    if "classification" not in parameters:
        return 0
    n_classes = parameters["classification"]
    if name != CLASSIFIED:
        raise BadRequestError(f"The parameter `classification` goes with output {CLASSIFIED!r} alone.")
    if type(n_classes) is not int or n_classes < 1:
        raise BadRequestError("The parameter `classification` must be a whole number from 1: so many best classes.")
    return n_classes


def _parameters(document: dict[str, Any], owner: str) -> dict[str, Any]:
    """The parameters of a request or tensor; those that mean nothing here are tolerated, as the protocol has it."""
    parameters = document.get("parameters", {})
    if not isinstance(parameters, dict):
        raise BadRequestError(f"{owner} has `parameters` that are no object.")
    if "shared_memory_region" in parameters:
        raise BadRequestError(f"{owner} has a `shared_memory_region`; there is no shared memory here. Send the data.")
    return parameters


def _flag(parameters: dict[str, Any], name: str, default: bool) -> bool:
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise BadRequestError(f"The parameter `{name}` must be true or false.")
    return value
