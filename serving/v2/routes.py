"""/v2/*: the Open Inference Protocol V2 over REST."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.errors import BadRequestError, ModelError, NotFoundError
from serving.http.compression import compressed, receive
from serving.http.ids import MAX_ID_LENGTH
from serving.http.responses import JSONResponse
from serving.http.timing import Timing
from serving.metrics import Metrics
from serving.model.card import FEATURES, MODEL_NAME, ModelCard, Tensor
from serving.service import Service
from serving.v2 import messages
from serving.v2.codec import MAX_IMAGES, decode_json, encode, parse
from serving.version import inkling_version

EXTENSIONS = ["binary_tensor_data", "model_configuration", "model_repository", "statistics"]

# Triton's name for an ONNX file that onnxruntime runs.
PLATFORM = "onnxruntime_onnx"

# The protocol's name of each step, and ours.
STEPS = {
    "success": "total",
    "fail": "refused",
    "queue": "queue",
    "compute_input": "decode",
    "compute_infer": "infer",
    "compute_output": "encode",
}

LOAD = msgspec.json.Decoder(messages.LoadRequest)


async def server_metadata(_: Request) -> Response:
    """Return the server's name, version and extensions."""
    return JSONResponse(messages.ServerMetadata("inkling", inkling_version(), EXTENSIONS))


async def live(_: Request) -> Response:
    """Answer while the process runs."""
    return JSONResponse(messages.Live(True))


async def ready(request: Request) -> Response:
    """Return 200 while predictions, by the model in the address if it has one, are answered, and 503 otherwise."""
    name = _card(request).name if "model" in request.path_params else msgspec.UNSET
    service = Service.of(request)
    is_ready = not service.is_draining and service.engine.predictor is not None
    return JSONResponse(messages.Ready(is_ready, name), 200 if is_ready else 503)


async def model_metadata(request: Request) -> Response:
    """Return the model's signature."""
    card = _card(request)
    return JSONResponse(messages.ModelMetadata(card.name, [card.version], PLATFORM, card.inputs, card.outputs))


async def model_config(request: Request) -> Response:
    """Return the model's configuration."""
    return JSONResponse(configuration(_card(request)))


def configuration(card: ModelCard) -> dict[str, Any]:
    """Return a model as Triton's `ModelConfig`, in which shapes lack the batch."""
    return {
        "name": card.name,
        "platform": PLATFORM,
        "backend": "onnxruntime",
        "version_policy": {"latest": {"num_versions": 1}},
        "max_batch_size": MAX_IMAGES,
        "input": [_config_tensor(tensor) for tensor in card.inputs],
        "output": [_config_tensor(tensor) for tensor in card.outputs],
        "dynamic_batching": {"max_queue_delay_microseconds": 0},
    }


def _config_tensor(tensor: Tensor) -> dict[str, Any]:
    config = {"name": tensor.name, "data_type": f"TYPE_{tensor.datatype}"}
    # Triton's only form for one number per image is a vector that is reshaped.
    return config | ({"dims": tensor.shape[1:]} if tensor.shape[1:] else {"dims": [1], "reshape": {"shape": []}})


async def statistics(request: Request) -> Response:
    """Return the statistics under the model in use. Without a name in the address, no model need be loaded."""
    service = Service.of(request)
    is_named, predictor = "model" in request.path_params, service.engine.predictor
    cards = [_card(request)] if is_named else [predictor.card] if predictor else []
    return JSONResponse(messages.Statistics([_statistics_of(card, service.metrics) for card in cards]))


def _statistics_of(card: ModelCard, metrics: Metrics) -> messages.ModelStatistics:
    stages = metrics.read(metrics.stages)
    steps = {step: metrics.stages.count_and_sum(stages, stage) for step, stage in STEPS.items()}
    return messages.ModelStatistics(
        card.name,
        card.version,
        last_inference=round(1000 * metrics.read(metrics.last_run)[0]),
        inference_count=round(metrics.read(metrics.images)[0]),
        execution_count=round(metrics.read(metrics.runs)[0]),
        inference_stats={
            step: messages.Duration(round(count), round(1e9 * seconds)) for step, (count, seconds) in steps.items()
        },
    )


async def infer(request: Request) -> Response:
    """Run the model on the images in the body."""
    engine, settings = Service.of(request).engine, Service.of(request).settings
    available = [tensor.name for tensor in _card(request).outputs]  # refuses an unknown model before the body is read
    timing: Timing = request.scope["timing"]
    body = await receive(request, settings.max_body_bytes)
    header_length = dict(request.scope["headers"]).get(b"inference-header-content-length")
    asked = parse(body, header_length, settings.max_pixels, available)
    if asked.id is not msgspec.UNSET:
        timing.facts["v2_id"] = asked.id[:MAX_ID_LENGTH]
    timing.lap("decode")
    answer = await engine.predict(asked.images, asked.timeout_s - timing.elapsed_s(), FEATURES in asked.outputs)
    timing.add_answer(answer)
    _check_address(request, answer.card.version)  # the model may have been replaced meanwhile
    content, n_json = encode(asked, answer.prediction, answer.card)
    headers = {"content-type": "application/json"}
    if n_json is not None:
        headers = {"content-type": "application/octet-stream", "inference-header-content-length": str(n_json)}
    content = await compressed(request, content, headers)
    timing.lap("encode")
    return Response(content, headers=headers)


async def index(request: Request) -> Response:
    """Return the one model that exists, and whether it is loaded."""
    predictor = Service.of(request).engine.predictor
    if predictor:
        return JSONResponse([messages.IndexEntry(MODEL_NAME, predictor.card.version, "READY", "")])
    return JSONResponse([messages.IndexEntry(MODEL_NAME, "", "UNAVAILABLE", "unloaded")])


async def load(request: Request) -> Response:
    """Load the model file again. If it cannot be used, the model in use stays."""
    _check_address(request)
    parameters = decode_json(LOAD, await request.body() or b"{}").parameters
    if any(name == "config" or name.startswith("file:") for name in parameters):
        raise BadRequestError("The model is loaded from the service's own file, so `config` and `file:` are refused.")
    try:
        await Service.of(request).lifecycle.load()
    except ModelError as error:
        raise BadRequestError(f"failed to load '{MODEL_NAME}', the model in use stays: {error}") from None
    return Response()


async def unload(request: Request) -> Response:
    """Unload the model until it is loaded again."""
    _check_address(request)
    await Service.of(request).lifecycle.unload()
    return Response()


def _model_routes(address: str) -> list[Route]:
    return [
        Route(f"{address}/infer", infer, methods=["POST"]),
        Route(address, model_metadata),
        Route(f"{address}/ready", ready),
        Route(f"{address}/config", model_config),
        Route(f"{address}/stats", statistics),
    ]


routes = [
    Route("/models/stats", statistics),
    *_model_routes("/models/{model}"),
    *_model_routes("/models/{model}/versions/{version}"),
    Route("/health/live", live),
    Route("/health/ready", ready),
    Route("/repository/index", index, methods=["POST"]),
    Route("/repository/models/{model}/load", load, methods=["POST"]),
    Route("/repository/models/{model}/unload", unload, methods=["POST"]),
]


def _card(request: Request) -> ModelCard:
    card = Service.of(request).engine.model.card
    _check_address(request, card.version)
    return card


def _check_address(request: Request, version: str | None = None) -> None:
    """Raise `NotFoundError` if the address has another model, or another version than the model in use."""
    asked = request.path_params
    if asked["model"] != MODEL_NAME or asked.get("version", version) != version:
        raise NotFoundError(
            f"Request for unknown model or version: the model is {MODEL_NAME!r}. "
            f"GET /v2/models/{MODEL_NAME} returns its version."
        )
