"""The V2 codec, compared with NVIDIA's client."""

import json
import math
from typing import Any

import numpy as np
import pytest
from tritonclient.http import InferResult

from serving.errors import RequestError
from serving.model.card import OUTPUTS
from serving.model.predictor import Prediction, Predictor
from serving.v2.answer import encode
from serving.v2.request import MAX_IMAGES, MAX_JSON_BYTES, MAX_JSON_CONTAINERS, InferRequest, RequestedOutput, parse

MAX_PIXELS = 10_000
NAMES = [tensor.name for tensor in OUTPUTS]


def tensor(**changes: object) -> dict[str, Any]:
    """Return an input of 2 x 2 pixels with changes; None removes a field."""
    fields = {"name": "image", "datatype": "UINT8", "shape": [1, 2, 2], "data": [0, 1, 2, 255]} | changes
    return {name: value for name, value in fields.items() if value is not None}


def document(**changes: object) -> bytes:
    return json.dumps({"inputs": [tensor()]} | changes).encode()


def refused(body: bytes, header: bytes | None = None, status: int = 400) -> str:
    with pytest.raises(RequestError) as caught:
        parse(body, header, MAX_PIXELS)
    assert caught.value.status == status
    return str(caught.value)


@pytest.mark.parametrize("is_binary", [False, True])
def test_the_best_classes(predictor: Predictor, is_binary: bool) -> None:
    probabilities = np.array([[0.125, 0.75, 0.125] + [0] * 7, [0] * 9 + [1]], np.float32)
    prediction = Prediction(probabilities, probabilities[:, 0], np.zeros((2, 28, 28), np.uint8), probabilities[:, :4])
    for n_classes, n_answered in ((2, 2), (99, 10)):
        outputs = [RequestedOutput("probabilities", is_binary, n_classes)]
        body, n_json = encode(InferRequest(None, prediction.normalized, math.inf, outputs), prediction, predictor.card)
        best = InferResult.from_response_body(body, header_length=n_json).as_numpy("probabilities")
        assert best.shape == (2, n_answered)
        texts = [item if isinstance(item, str) else item.decode() for item in best[:, :2].ravel()]
        assert texts == ["0.750000:1:1", "0.125000:0:0", "1.000000:9:9", "0.000000:0:0"]


def test_flat_and_nested_data_are_the_same_and_unknown_parameters_are_ignored() -> None:
    parameters = {"priority": 3, "sequence_id": "a", "sequence_start": True, "mine": [1], "timeout": 0}
    for data in ([0, 1, 2, 255], [[[0, 1], [2, 255]]]):
        inputs = [tensor(data=data, parameters={"mine": None})]
        read = parse(document(parameters=parameters, note="x", inputs=inputs), None, MAX_PIXELS)
        assert read.images.tolist() == [[[0, 1], [2, 255]]]
        assert read.outputs == [RequestedOutput(name, False, 0) for name in NAMES]
        assert read.timeout_s == math.inf


@pytest.mark.parametrize("header", [b"0", b"", b"none", b"\xb2"])
def test_a_body_of_only_an_image(header: bytes) -> None:
    read = parse(bytes(range(9)), header, MAX_PIXELS)
    assert read.images.tolist() == [[[0, 1, 2], [3, 4, 5], [6, 7, 8]]]
    assert read.outputs == [RequestedOutput(name, True, 0) for name in NAMES]
    for n_bytes in (0, 3, 783):
        assert f"{n_bytes} bytes" in refused(bytes(n_bytes), header)
    assert "pixels" in refused(bytes(101 * 101), header, 413)


SECRET = "secret"


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        *(
            ({"inputs": inputs}, "`inputs`")
            for inputs in (None, [], {"image": [0]}, ["image"], [tensor(), tensor()], [tensor(), tensor(name=SECRET)])
        ),
        *(({"inputs": [tensor(name=name)]}, "'image'") for name in (SECRET, ["image"])),
        *(({"inputs": [tensor(datatype=datatype)]}, "UINT8") for datatype in (SECRET, "FP32", None)),
        *(
            ({"inputs": [tensor(shape=shape)]}, "`shape`")
            for shape in (None, SECRET, [4], [2, 2], [1, 1, 2, 2], [0, 2, 2], [1, -2, -2], [1, 2.0, 2], [True, 2, 2])
        ),
        *(
            ({"inputs": [tensor(data=data)]}, "`data`")
            for data in (
                None, SECRET, 4, {}, [], [0], [0] * 5, [0, 1, 2, 256], [0, 1, 2, -1], [0, 1, 2, 3.0], [0, 1, 2, None],
                [0, 1, 2, True], [0, 1, 2, 2**70], [0, 1, 2, SECRET], [0, 1, 2, [3]], [[0, 1], [2, 3]], [[0, 1, 2, 3]],
                [[[0, 1], [2]]], [[[0, 1, 2, 3]]], [[[0], [1, 2, 3]]], [[0, [1, 2, 3]]], [[[[0], [1]], [[2], [3]]]],
                [[[0, 1], 2, 3]], [[[0, 1], [2, True]]],
            )
        ),
        ({"inputs": [tensor(parameters=[])]}, "`parameters`"),
        ({"inputs": [tensor(parameters={"shared_memory_region": SECRET})]}, "shared memory"),
        ({"inputs": [tensor(parameters={"binary_data_size": 4})]}, "both"),
        ({"inputs": [tensor(data=None, parameters={"binary_data_size": 4})]}, "0 bytes follow"),
        *(
            ({"inputs": [tensor(data=None, parameters={"binary_data_size": size})]}, "must be 4")
            for size in (3, -4, "4", 4.0, True, None)
        ),
        ({"parameters": SECRET}, "`parameters`"),
        *(({"parameters": {"timeout": value}}, "`timeout`") for value in (-1, 1.5, "1", True, None, 2**70)),
        *(({"parameters": {"binary_data_output": value}}, "`binary_data_output`") for value in (1, "true", None)),
        ({"id": 7}, "`id`"),
        *(
            ({"outputs": outputs}, "`outputs`")
            for outputs in (
                SECRET, {"name": "box"}, ["box"], [{}], [{"name": SECRET}], [{"name": ["box"]}],
                [{"name": "box"}, {"name": "box"}],
            )
        ),
        ({"outputs": [{"name": "box", "parameters": {"binary_data": SECRET}}]}, "`binary_data`"),
        ({"outputs": [{"name": "box", "parameters": {"classification": 1}}]}, "'probabilities'"),
        ({"outputs": [{"name": "box", "parameters": {"shared_memory_region": SECRET}}]}, "shared memory"),
        *(
            ({"outputs": [{"name": "probabilities", "parameters": {"classification": n}}]}, "`classification`")
            for n in (0, -1, 1.0, "1", True, None)
        ),
    ],
)  # fmt: skip
def test_invalid_fields_are_named(fields: dict[str, Any], word: str) -> None:
    error = refused(document(**fields))
    assert word in error
    assert SECRET not in error


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"7", b'"image"', b"\xff", b"null", b"[" * 5000, b'{"id": NaN}', b'{"id": "\\ud800"}',
        document() + b"!", document() + document(),
    ],
)  # fmt: skip
def test_a_body_that_is_not_a_json_object(body: bytes) -> None:
    assert "JSON" in refused(body)


def test_blobs_that_do_not_fit() -> None:
    text = document(inputs=[tensor(data=None, parameters={"binary_data_size": 4})])
    header = str(len(text)).encode()
    assert parse(text + bytes(4), header, MAX_PIXELS).images.shape == (1, 2, 2)
    assert "3 bytes follow" in refused(text + bytes(3), header)
    assert "5 bytes follow" in refused(text + bytes(5), header)
    assert "1 bytes follow" in refused(document() + b"!", str(len(document())).encode())
    for header_beyond_the_body in (b"-1", b"5", b"9" * 5000):
        assert "0 to 4" in refused(bytes(4), header_beyond_the_body)
    assert "JSON" in refused(text + bytes(4), str(len(text) - 1).encode())


@pytest.mark.parametrize("shape", [[1, MAX_PIXELS + 1, 1], [MAX_IMAGES + 1, 1, 1], [2**62, 2**62, 2**62]])
def test_a_size_above_the_limits(shape: list[int]) -> None:
    assert "at most" in refused(document(inputs=[tensor(shape=shape)]), status=413)


def test_json_above_the_limit() -> None:
    assert "binary" in refused(document(note="x" * MAX_JSON_BYTES), status=413)
    for container in ([], {}):
        assert "binary" in refused(document(note=[container] * MAX_JSON_CONTAINERS), status=413)
