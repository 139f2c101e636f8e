"""Variants of the committed model file, without the package onnx.

A file is a protobuf message of fields with a number, a kind and a value. Of repeated metadata, the last counts.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from serving.model.predictor import Predictor

from .conftest import MODEL

# Field numbers of onnx.proto.
MODEL_GRAPH = 7
MODEL_METADATA = 14
GRAPH_INITIALIZER = 5
TENSOR_RAW_DATA = 9

VARINT, FIXED64, BYTES = 0, 1, 2


def with_metadata(content: bytes | None = None, **texts: str) -> bytes:
    """Return a model, by default the committed one, with other metadata and so another version."""
    content = content or MODEL.read_bytes()
    for key, text in texts.items():
        content += _field(MODEL_METADATA, _field(1, key.encode()) + _field(2, text.encode()))
    return content


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


def other_answers(folder: Path) -> bytes:
    """Return a model that passes its self-check and gives other answers than the committed one."""
    path = folder / "other.onnx"
    path.write_bytes(with_damaged_weights())
    return with_metadata(path.read_bytes(), golden=golden(Predictor.load(path), np.zeros((1, 28, 28), np.uint8)))


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
    """Yield start and end of each field of bytes with this number."""
    while start < end:
        tag, start = _read_varint(content, start)
        if tag & 7 == VARINT:
            _, start = _read_varint(content, start)
            continue
        if tag & 7 == BYTES:
            n_bytes, start = _read_varint(content, start)
        else:
            n_bytes = 8 if tag & 7 == FIXED64 else 4
        if tag >> 3 == wanted:
            yield start, start + n_bytes
        start += n_bytes


def _read_varint(content: bytearray, start: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[start]
        value |= (byte & 0x7F) << shift
        start, shift = start + 1, shift + 7
        if byte < 0x80:
            return value, start
