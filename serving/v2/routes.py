"""/v2/*: the Open Inference Protocol V2 over REST, for any of its clients."""

import re
from dataclasses import asdict
from typing import Any

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.errors import BadRequestError, ModelError, NotFoundError
from serving.http.compression import accepted, compressed, inflated
from serving.http.responses import JSONResponse
from serving.http.timing import Timing
from serving.model.card import MODEL_NAME, ModelCard, Tensor
from serving.queue.engine import Engine
from serving.v2.answer import encode
from serving.v2.request import MAX_IMAGES, parse, parse_object
from serving.v2.statistics import statistics_document
from serving.version import inkling_version

EXTENSIONS = ["binary_tensor_data", "classification", "model_configuration", "model_repository", "statistics"]

# A smaller answer fits into one packet; most clients ask for compression by default, and all read an answer without.
MIN_COMPRESSED_BYTES = 1400

# A name that is safe to repeat in an answer.
PLAIN_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class ServerMetadata(HTTPEndpoint):
    """Who answers; an endpoint that refuses other methods itself, as it is served outside of the mount too."""

    async def get(self, _: Request) -> Response:
        """The server's name, version and extensions."""
        return JSONResponse({"name": "inkling", "version": inkling_version(), "extensions": EXTENSIONS})


async def live(_: Request) -> Response:
    """200: the process answers."""
    return Response()


async def ready(request: Request) -> Response:
    """200 while predictions are answered; 503 before and after, and without a model."""
    state = request.app.state
    return Response(status_code=503 if state.middleware.is_draining or state.engine.predictor is None else 200)


async def model_ready(request: Request) -> Response:
    """200 while this model, of this version where one is named, answers predictions."""
    _card(request)
    return await ready(request)


async def model_metadata(request: Request) -> Response:
    """The model's signature."""
    card = _card(request)
    return JSONResponse(
        {
            "name": card.name,
            "versions": [card.version],
            "platform": "onnx_onnxv1",
            "inputs": [asdict(tensor) for tensor in card.inputs],
            "outputs": [asdict(tensor) for tensor in card.outputs],
        }
    )


async def model_config(request: Request) -> Response:
    """The model as Triton's configuration would describe it."""
    return JSONResponse(configuration(_card(request)))


def configuration(card: ModelCard) -> dict[str, Any]:
    """A model in the words of Triton's `ModelConfig`: shapes without the batch."""
    return {
        "name": card.name,
        "platform": "onnxruntime_onnx",
        "backend": "onnxruntime",
        "version_policy": {"latest": {"num_versions": 1}},
        "max_batch_size": MAX_IMAGES,
        "input": [_config_tensor(tensor) for tensor in card.inputs],
        "output": [_config_tensor(tensor) for tensor in card.outputs],
        "dynamic_batching": {"max_queue_delay_microseconds": 0},
    }


async def model_statistics(request: Request) -> Response:
    """The statistics of the service since its start, whichever models it has used, under the one in use."""
    return _statistics(request, [_card(request)])


async def statistics(request: Request) -> Response:
    """The same; none while no model is loaded."""
    engine: Engine = request.app.state.engine
    return _statistics(request, [engine.model.card] if engine.predictor else [])


async def infer(request: Request) -> Response:
    """Runs the model on the images in the body."""
    state = request.app.state
    engine: Engine = state.engine
    _card(request)  # refuses an unknown model before its body is read
    headers = dict(request.scope["headers"])
    body = await request.body()
    timing: Timing = request.scope["timing"]
    timing.start()
    coding = headers.get(b"content-encoding", b"").decode("latin-1")
    body = await inflated(engine, body, coding, state.settings.max_body_bytes)
    asked = parse(body, headers.get(b"inference-header-content-length"), state.settings.max_pixels)
    timing.lap("decode")
    answer = await engine.predict(asked.images, asked.timeout_s - timing.elapsed_s())
    timing.add_answer(answer)
    # The model may have been replaced since the address was read.
    if request.path_params.get("version", answer.card.version) != answer.card.version:
        raise _unknown(request)
    content, n_json = encode(asked, answer.prediction, answer.card)
    answer_headers = {"content-type": "application/json", "vary": "accept-encoding"}
    if n_json is not None:
        answer_headers |= {"content-type": "application/octet-stream", "inference-header-content-length": str(n_json)}
    wanted = accepted(headers.get(b"accept-encoding", b"").decode("latin-1"))
    if wanted and len(content) >= MIN_COMPRESSED_BYTES:
        content = await compressed(engine, content, wanted)
        answer_headers["content-encoding"] = wanted
    timing.lap("encode")
    return Response(content, headers=answer_headers)


async def index(request: Request) -> Response:
    """The one model that there is, and whether it is loaded."""
    document = await _document(request)
    engine: Engine = request.app.state.engine
    entry = {"name": MODEL_NAME, "version": "", "state": "UNAVAILABLE", "reason": "unloaded"}
    if engine.predictor:
        entry |= {"version": engine.predictor.card.version, "state": "READY", "reason": ""}
    return JSONResponse([] if document.get("ready") is True and engine.predictor is None else [entry])


async def load(request: Request) -> Response:
    """Reads the model file anew; where it cannot be used, the model in use stays."""
    _check_name(request)
    parameters = (await _document(request)).get("parameters", {})
    if not isinstance(parameters, dict):
        raise BadRequestError("The `parameters` must be an object.")
    if any(name == "config" or name.startswith("file:") for name in parameters):
        raise BadRequestError("The model is loaded from the service's own file; `config` and `file:` are not taken.")
    try:
        await request.app.state.lifecycle.load()
    except ModelError as error:
        raise BadRequestError(f"failed to load '{MODEL_NAME}', the model in use stays: {error}") from None
    return Response()


async def unload(request: Request) -> Response:
    """Takes the model away until it is loaded again."""
    _check_name(request)
    await _document(request)
    await request.app.state.lifecycle.unload()
    return Response()


def _model_routes(address: str) -> list[Route]:
    return [
        Route(f"{address}/infer", infer, methods=["POST"]),
        Route(address, model_metadata),
        Route(f"{address}/ready", model_ready),
        Route(f"{address}/config", model_config),
        Route(f"{address}/stats", model_statistics),
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
    """The card of the model, and of the version, that the address names.

    Raises:
        NotFoundError: it is not the one that is loaded.
        NoModelError: none is loaded.
    """
    _check_name(request)
    engine: Engine = request.app.state.engine
    card = engine.model.card
    if request.path_params.get("version", card.version) != card.version:
        raise _unknown(request)
    return card


def _check_name(request: Request) -> None:
    if request.path_params["model"] != MODEL_NAME:
        raise _unknown(request)


def _unknown(request: Request) -> NotFoundError:
    """The error in the words of Triton."""
    name, version = request.path_params["model"], request.path_params.get("version")
    text = f"'{name}'" if PLAIN_NAME.fullmatch(name) else "of that name"
    if version is not None:
        text += f" version {version}" if PLAIN_NAME.fullmatch(version) else " of that version"
    return NotFoundError(
        f"Request for unknown model: {text} is not found. GET /v2/models/{MODEL_NAME} tells the version."
    )


def _config_tensor(tensor: Tensor) -> dict[str, Any]:
    config: dict[str, Any] = {"name": tensor.name, "data_type": f"TYPE_{tensor.datatype}", "dims": tensor.shape[1:]}
    if not config["dims"]:  # one number per image, which Triton can only say in this way
        config |= {"dims": [1], "reshape": {"shape": []}}
    return config


def _statistics(request: Request, cards: list[ModelCard]) -> Response:
    document = statistics_document(request.app.state.metrics)
    return JSONResponse({"model_stats": [{"name": card.name, "version": card.version, **document} for card in cards]})


async def _document(request: Request) -> dict[str, Any]:
    body = await request.body()
    return parse_object(body) if body else {}
