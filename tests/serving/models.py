"""Variants of the committed model file, without the package onnx.

A file is a protobuf message of fields with a number, a kind and a value. Of repeated metadata, the last counts.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from serving.model.card import N_REQUIRED_OUTPUTS
from serving.model.predictor import Predictor, open_session

from .conftest import MODEL

# Field numbers of onnx.proto.
MODEL_GRAPH = 7
MODEL_METADATA = 14
GRAPH_INITIALIZER = 5
GRAPH_OUTPUT = 12
TENSOR_RAW_DATA = 9

VARINT, FIXED64, BYTES = 0, 1, 2


def with_metadata(content: bytes | None = None, **texts: str) -> bytes:
    """Return a model, by default the committed one, with other metadata and so another version."""
    content = content or MODEL.read_bytes()
    for key, text in texts.items():
        content += _field(MODEL_METADATA, _field(1, key.encode()) + _field(2, text.encode()))
    return content


def minimal() -> bytes:
    """Return the committed model with only the outputs and the metadata that a file must have."""
    content = bytearray(MODEL.read_bytes())
    model = b""
    for number, first, start, end in _walk(content, 0, len(content)):
        if number == MODEL_GRAPH:
            graph = list(_walk(content, start, end))
            optional = [each[1] for each in graph if each[0] == GRAPH_OUTPUT][N_REQUIRED_OUTPUTS:]
            kept = b"".join(content[first:end] for _, first, _, end in graph if first not in optional)
            model += _field(MODEL_GRAPH, kept)
        elif (
            number != MODEL_METADATA or b"thresholds" in content[start:end] or b"classes" in content[start : start + 9]
        ):
            model += content[first:end]
    return bytes(model)


def golden(predictor: Predictor, images: np.ndarray, **changes: object) -> str:
    """Return the metadata text of a model's golden answers for images uint8 [n, 28, 28], with changes."""
    prediction = predictor.run(images)
    answers = {
        "images": base64.b64encode(images).decode(),
        "probabilities": prediction.probabilities.tolist(),
        "digit_score": prediction.digit_score.tolist(),
        "states": [verdict.state for verdict in predictor.verdicts(prediction)],
    }
    return json.dumps(answers | changes)


def with_damaged_weights() -> bytes:
    """Return the committed model with the signs of its largest tensor inverted: a valid file with wrong answers."""
    content = bytearray(MODEL.read_bytes())
    tensors = [
        (end - start, start, end)
        for graph_start, graph_end in _fields(content, 0, len(content), MODEL_GRAPH)
        for tensor_start, tensor_end in _fields(content, graph_start, graph_end, GRAPH_INITIALIZER)
        for start, end in _fields(content, tensor_start, tensor_end, TENSOR_RAW_DATA)
    ]
    _, start, end = max(tensors)
    weights = np.frombuffer(content[start:end], "<f4")
    content[start:end] = (-weights).tobytes()
    return bytes(content)


def other_answers() -> bytes:
    """Return a model that passes its self-check and gives other answers than the committed one."""
    content = with_damaged_weights()
    unchecked = Predictor(open_session(content), content)
    return with_metadata(content, golden=golden(unchecked, np.zeros((1, 28, 28), np.uint8)))


def put(content: bytes, path: Path) -> None:
    """Replace a file in one step."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.replace(path)


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    digits = b""
    while value > 0x7F:
        digits += bytes([value & 0x7F | 0x80])
        value >>= 7
    return digits + bytes([value])


def _fields(content: bytearray, start: int, end: int, wanted: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of the value of each field with this number."""
    return ((first, last) for number, _, first, last in _walk(content, start, end) if number == wanted)


def _walk(content: bytearray, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the number of each field, and where the field, its value and its end are."""
    while start < end:
        first = start
        tag, start = _read_varint(content, start)
        if tag & 7 == VARINT:
            _, last = _read_varint(content, start)
        elif tag & 7 == BYTES:
            n_bytes, start = _read_varint(content, start)
            last = start + n_bytes
        else:
            last = start + (8 if tag & 7 == FIXED64 else 4)
        yield tag >> 3, first, start, last
        start = last


def _read_varint(content: bytearray, start: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[start]
        value |= (byte & 0x7F) << shift
        start, shift = start + 1, shift + 7
        if byte < 0x80:
            return value, start
