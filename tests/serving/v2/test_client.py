"""NVIDIA's unmodified client against a running service."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from serving.model.card import FEATURES, OUTPUTS
from serving.model.predictor import Predictor
from serving.version import inkling_version
from tests.serving.conftest import MODEL
from tests.serving.drawings import draw
from tests.serving.under_load.process import Running

NAMES = [tensor.name for tensor in OUTPUTS if tensor.name != FEATURES]
SEVEN = np.asarray(draw(7))[None]
BATCH = np.stack([np.asarray(draw(digit)) for digit in (7, 0, 1)])


@pytest.fixture(scope="module")
def client(service: Running) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(service.host) as client:
        yield client


def image(images: np.ndarray = SEVEN, is_binary: bool = True) -> list[triton.InferInput]:
    tensor = triton.InferInput("image", list(images.shape), "UINT8")
    return [tensor.set_data_from_numpy(images, binary_data=is_binary)]


def same(result: Any, predictor: Predictor, images: np.ndarray = SEVEN) -> None:
    expected = predictor.run(images)
    for name in NAMES:
        assert np.allclose(result.as_numpy(name), getattr(expected, name), atol=1e-6), name


def refused(call: Any, status: int, *words: str) -> None:
    with pytest.raises(InferenceServerException) as caught:
        call()
    assert caught.value.status() == str(status)
    assert all(word in caught.value.message() for word in words), caught.value.message()


def test_health(client: Any, predictor: Predictor) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("digits")
    assert client.is_model_ready("digits", predictor.card.version)
    assert not client.is_model_ready("letters")
    assert not client.is_model_ready("digits", "9")


def test_metadata(client: Any, predictor: Predictor) -> None:
    server = client.get_server_metadata()
    assert (server["name"], server["version"]) == ("inkling", inkling_version())
    assert set(server["extensions"]) == {
        "binary_tensor_data", "model_configuration", "model_repository", "statistics",
    }  # fmt: skip
    version = predictor.card.version
    model = client.get_model_metadata("digits")
    assert model == client.get_model_metadata("digits", version)
    assert (model["name"], model["versions"], model["platform"]) == ("digits", [version], "onnxruntime_onnx")
    assert model["inputs"] == [{"name": "image", "datatype": "UINT8", "shape": [-1, -1, -1]}]
    assert [output["name"] for output in model["outputs"]] == [tensor.name for tensor in predictor.card.outputs]


def test_config(client: Any, predictor: Predictor) -> None:
    config = client.get_model_config("digits", predictor.card.version)
    assert config == client.get_model_config("digits")
    assert (config["name"], config["platform"]) == ("digits", client.get_model_metadata("digits")["platform"])
    assert config["max_batch_size"] == 1024
    assert config["input"] == [{"name": "image", "data_type": "TYPE_UINT8", "dims": [-1, -1]}]
    assert config["output"][:2] == [
        {"name": "probabilities", "data_type": "TYPE_FP32", "dims": [10]},
        {"name": "digit_score", "data_type": "TYPE_FP32", "dims": [1], "reshape": {"shape": []}},
    ]


# The codings of the two bodies do not depend on each other.
@pytest.mark.parametrize(
    ("request_coding", "response_coding"), [(None, "gzip"), ("gzip", "deflate"), ("deflate", None)]
)
@pytest.mark.parametrize("is_binary", [True, False], ids=["binary", "json"])
def test_infer(
    client: Any, predictor: Predictor, is_binary: bool, request_coding: str | None, response_coding: str | None
) -> None:
    for images in (SEVEN, BATCH):
        result = client.infer(
            "digits",
            image(images, is_binary),
            predictor.card.version,
            outputs=[triton.InferRequestedOutput(name, is_binary or name == "box") for name in reversed(NAMES)],
            request_id="a request",
            timeout=60_000_000,
            priority=1,
            parameters={"mine": "tolerated"},
            request_compression_algorithm=request_coding,
            response_compression_algorithm=response_coding,
        )
        same(result, predictor, images)
        response = result.get_response()
        assert response["id"] == "a request"
        assert (response["model_name"], response["model_version"]) == ("digits", predictor.card.version)
        assert [output["name"] for output in response["outputs"]] == NAMES[::-1]


def test_rejected_calls_of_the_client(client: Any) -> None:
    refused(lambda: client.infer("letters", image()), 404, "Request for unknown model", "'digits'")
    refused(lambda: client.infer("digits", image(), "9"), 404, "unknown model or version", "GET /v2/models/digits")
    refused(lambda: client.infer("digits", image(), timeout=1), 503, "timeout")
    # Such an answer is never compressed: the client would not read it.
    options: dict[str, Any] = {"timeout": -1, "response_compression_algorithm": "gzip"}
    refused(lambda: client.infer("digits", image(), **options), 400, "$.parameters.timeout`")
    for call in (client.get_model_metadata, client.get_model_config, client.get_inference_statistics):
        refused(lambda call=call: call("letters"), 404, "unknown model")
        refused(lambda call=call: call("digits", "9"), 404, "unknown model or version")
    for call in (client.load_model, client.unload_model):
        refused(lambda call=call: call("letters"), 404, "unknown model")
    refused(lambda: client.load_model("digits", config='{"max_batch_size": 1}'), 400, "own file", "`config`")


def test_statistics(client: Any, predictor: Predictor) -> None:
    def stats() -> dict[str, Any]:
        (entry,) = client.get_inference_statistics()["model_stats"]
        assert client.get_inference_statistics("digits")["model_stats"] == [entry]
        assert client.get_inference_statistics("digits", predictor.card.version)["model_stats"] == [entry]
        assert (entry["name"], entry["version"]) == ("digits", predictor.card.version)
        return dict(entry)

    before = stats()
    client.infer("digits", image(BATCH))
    after = stats()
    assert after["inference_count"] == before["inference_count"] + 3
    assert after["execution_count"] == before["execution_count"] + 1
    assert abs(after["last_inference"] / 1000 - time.time()) < 60
    steps = {"success", "fail", "queue", "compute_input", "compute_infer", "compute_output"}
    assert set(after["inference_stats"]) == steps
    for step in ("success", "queue", "compute_infer"):
        assert after["inference_stats"][step]["count"] == before["inference_stats"][step]["count"] + 1
        assert after["inference_stats"][step]["ns"] > before["inference_stats"][step]["ns"]


def test_the_repository(client: Any, predictor: Predictor) -> None:
    loaded = {"name": "digits", "version": predictor.card.version, "state": "READY", "reason": ""}
    assert client.get_model_repository_index() == [loaded]
    client.unload_model("digits", unload_dependents=True)
    try:
        (entry,) = client.get_model_repository_index()
        assert (entry["name"], entry["state"], entry["reason"]) == ("digits", "UNAVAILABLE", "unloaded")
        assert client.is_server_live()
        assert not client.is_server_ready()
        assert not client.is_model_ready("digits")
        assert client.get_inference_statistics() == {"model_stats": []}
        refused(lambda: client.infer("digits", image()), 503, "not loaded", "/load")
        refused(lambda: client.get_model_metadata("digits"), 503, "not loaded")
    finally:
        client.load_model("digits")
    assert client.get_model_repository_index() == [loaded]
    same(client.infer("digits", image()), predictor)


def test_a_bad_file_is_refused_and_the_old_model_stays(client: Any, service: Running, predictor: Predictor) -> None:
    service.model.write_bytes(MODEL.read_bytes()[:1000])
    try:
        refused(lambda: client.load_model("digits"), 400, "failed to load 'digits'", "is not usable")
        assert client.is_model_ready("digits", predictor.card.version)
        same(client.infer("digits", image()), predictor)
    finally:
        service.model.write_bytes(MODEL.read_bytes())
        client.load_model("digits")
