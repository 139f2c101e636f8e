"""Requests of the V2 protocol: what is accepted, and how the message of an error names the fault."""

import json
import math
from typing import Any

import pytest

from serving.errors import NotFoundError, RequestError
from serving.model.card import FEATURES, OUTPUTS
from serving.v2.codec import MAX_FEATURE_IMAGES, MAX_IMAGES, MAX_JSON_BYTES, MAX_JSON_CONTAINERS, Asked
from serving.v2.codec import parse as parse_for

MAX_PIXELS = 10_000
NAMES = [tensor.name for tensor in OUTPUTS]


def tensor(**changes: object) -> dict[str, Any]:
    """Return an input of 2 x 2 pixels with changes; None removes a field."""
    fields = {"name": "image", "datatype": "UINT8", "shape": [1, 2, 2], "data": [0, 1, 2, 255]} | changes
    return {name: value for name, value in fields.items() if value is not None}


def document(**changes: object) -> bytes:
    return json.dumps({"inputs": [tensor()]} | changes).encode()


def parse(body: bytes, header: bytes | None = None) -> Asked:
    return parse_for(body, header, MAX_PIXELS, NAMES)


def refused(body: bytes, header: bytes | None = None, status: int = 400) -> str:
    with pytest.raises(RequestError) as caught:
        parse(body, header)
    assert caught.value.status == status
    return str(caught.value)


def test_flat_and_nested_data_are_the_same_and_unknown_parameters_are_ignored() -> None:
    parameters = {"priority": 3, "sequence_id": "a", "sequence_start": True, "mine": [1], "timeout": 0}
    for data in ([0, 1, 2, 255], [[[0, 1], [2, 255]]]):
        inputs = [tensor(data=data, parameters={"mine": None})]
        read = parse(document(parameters=parameters, note="x", inputs=inputs))
        assert read.images.tolist() == [[[0, 1], [2, 255]]]
        assert read.outputs == dict.fromkeys(NAMES[:-1], False)
        assert read.timeout_s == math.inf


SECRET = "secret"


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        *(
            ({"inputs": inputs}, "$.inputs`")
            for inputs in (None, [], {"image": [0]}, [tensor(), tensor()], [tensor(), tensor(name=SECRET)])
        ),
        ({"inputs": ["image"]}, "$.inputs[0]`"),
        ({"inputs": [tensor(name=SECRET)]}, "'image'"),
        ({"inputs": [tensor(name=["image"])]}, "$.inputs[0].name`"),
        *(({"inputs": [tensor(datatype=datatype)]}, "'UINT8'") for datatype in (SECRET, "FP32")),
        ({"inputs": [tensor(datatype=None)]}, "`datatype`"),
        ({"inputs": [tensor(shape=None)]}, "`shape`"),
        *(({"inputs": [tensor(shape=shape)]}, "$.inputs[0].shape`") for shape in (SECRET, [4], [2, 2], [1, 1, 2, 2])),
        *(
            ({"inputs": [tensor(shape=shape)]}, f"$.inputs[0].shape[{place}]`")
            for shape, place in (([0, 2, 2], 0), ([1, -2, -2], 1), ([1, 2.0, 2], 1), ([True, 2, 2], 0))
        ),
        *(({"inputs": [tensor(data=data)]}, "$.inputs[0].data`") for data in (SECRET, 4, {})),
        *(
            ({"inputs": [tensor(data=[0, 1, 2, level])]}, "$.inputs[0].data[3]`")
            for level in (256, -1, 3.0, None, True, 2**70, SECRET)
        ),
        ({"inputs": [tensor(data=[[[0, 1], [2, True]]])]}, "$.inputs[0].data[0][1][1]`"),
        *(
            ({"inputs": [tensor(data=data)]}, "")
            for data in ([0, 1, 2, [3]], [[0, 1], [2, 3]], [[0, 1, 2, 3]], [[0, [1, 2, 3]]], [[[[0], [1]], [[2], [3]]]])
        ),
        *(
            ({"inputs": [tensor(data=data)]}, "must be 4 levels")
            for data in (
                [], [0], [0] * 5, [0, 1, 2, [[3]]], [[[0, 1], [2]]], [[[0, 1, 2, 3]]], [[[0], [1, 2, 3]]],
                [[[0, 1]], 2, 3], [[[0, 1], [2, 3]], [[0, 1], [2, 3]]], [[]], [[[]]],
            )
        ),
        ({"inputs": [tensor(data=None)]}, "either `data`"),
        ({"inputs": [tensor(parameters=[])]}, "$.inputs[0].parameters`"),
        ({"inputs": [tensor(data=None, parameters={"shared_memory_region": SECRET})]}, "shared memory"),
        ({"inputs": [tensor(parameters={"binary_data_size": 4})]}, "either"),
        ({"inputs": [tensor(data=None, parameters={"binary_data_size": 4})]}, "0 bytes follow"),
        ({"inputs": [tensor(data=None, parameters={"binary_data_size": 3})]}, "must be 4"),
        *(
            ({"inputs": [tensor(data=None, parameters={"binary_data_size": size})]}, "parameters.binary_data_size`")
            for size in (-4, "4", 4.0, True, None)
        ),
        ({"parameters": SECRET}, "$.parameters`"),
        *(({"parameters": {"timeout": value}}, "$.parameters.timeout`") for value in (-1, 1.5, "1", True, None, 2**70)),
        *(({"parameters": {"binary_data_output": value}}, ".binary_data_output`") for value in (1, "true", None)),
        ({"id": 7}, "$.id`"),
        *(
            ({"outputs": outputs}, "$.outputs")
            for outputs in (SECRET, {"name": "box"}, ["box"], [{}], [{"name": ["box"]}])
        ),
        ({"outputs": [{"name": "box", "parameters": {"binary_data": SECRET}}]}, "$.outputs[0].parameters.binary_data`"),
        *(
            ({"outputs": [{"name": "box", "parameters": {name: SECRET}}]}, name.partition("_")[0])
            for name in ("shared_memory_region", "classification")
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


@pytest.mark.parametrize(
    ("body", "place"), [(b'{"id": "", ]}', 11), (b'{"inputs": [', 12), (document() + b"!", len(document()) + 1)]
)
def test_malformed_json_names_the_byte(body: bytes, place: int) -> None:
    assert f"(byte {place})" in refused(body)


def test_an_output_that_the_model_lacks_is_not_found() -> None:
    for name in ("box", SECRET):
        with pytest.raises(NotFoundError, match="lacks one of the `outputs`; it has") as caught:
            parse_for(document(outputs=[{"name": name}]), None, MAX_PIXELS, NAMES[:2])
        assert name not in str(caught.value)
    assert parse_for(document(), None, MAX_PIXELS, NAMES[:2]).outputs == dict.fromkeys(NAMES[:2], False)


def test_features_are_sent_only_if_they_are_named_and_for_fewer_images() -> None:
    asked = {"outputs": [{"name": "box"}, {"name": FEATURES, "parameters": {"binary_data": True}}]}
    assert parse(document(**asked)).outputs == {"box": False, FEATURES: True}
    for n_images in (MAX_FEATURE_IMAGES, MAX_FEATURE_IMAGES + 1):
        inputs = [tensor(shape=[n_images, 1, 1], data=[0] * n_images)]
        assert len(parse(document(inputs=inputs)).images) == n_images
        if n_images > MAX_FEATURE_IMAGES:
            assert f"at most {MAX_FEATURE_IMAGES} images" in refused(document(inputs=inputs, **asked), status=413)
        else:
            assert len(parse(document(inputs=inputs, **asked)).images) == n_images


def test_blobs_that_do_not_fit() -> None:
    text = document(inputs=[tensor(data=None, parameters={"binary_data_size": 4})])
    header = str(len(text)).encode()
    assert parse(text + bytes(4), header).images.shape == (1, 2, 2)
    assert "3 bytes follow" in refused(text + bytes(3), header)
    assert "5 bytes follow" in refused(text + bytes(5), header)
    assert "1 bytes follow" in refused(document() + b"!", str(len(document())).encode())
    for wrong in (b"-1", b"5", b"9" * 5000, b"", b"none", b"\xb2"):
        assert "0 to 4" in refused(bytes(4), wrong)
    assert "JSON" in refused(text + bytes(4), str(len(text) - 1).encode())


@pytest.mark.parametrize("shape", [[1, MAX_PIXELS + 1, 1], [MAX_IMAGES + 1, 1, 1], [2**62, 2**62, 2**62]])
def test_a_size_above_the_limits(shape: list[int]) -> None:
    assert "at most" in refused(document(inputs=[tensor(shape=shape)]), status=413)


def test_json_above_the_limit() -> None:
    assert "binary" in refused(document(note="x" * MAX_JSON_BYTES), status=413)
    for container in ([], {}):
        assert "binary" in refused(document(note=[container] * MAX_JSON_CONTAINERS), status=413)
