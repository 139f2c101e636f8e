"""POST /api/predict, GET /api/model and GET /api/model.onnx, for the page and for curl."""

from collections.abc import Set
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import numpy as np
import numpy.typing as npt
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from serving.api.bodies import is_raw, open_body
from serving.api.containers import Picture
from serving.api.images import GreyImage, to_grey
from serving.api.messages import Box, CardAnswer, DigitAnswer, FullAnswer, ServiceFacts
from serving.api.strokes import draw
from serving.drawing.sheet import Sheet
from serving.errors import BadRequestError, NotFoundError
from serving.http.compression import compressed, receive
from serving.http.middleware import QuickStart
from serving.http.responses import JSONResponse
from serving.http.timing import Timing
from serving.model.card import ModelCard
from serving.model.decisions import READ
from serving.model.predictor import Verdict
from serving.queue.engine import MAX_INLINE_PIXELS, Answer
from serving.service import Service

# Up to this size, a body is read on the event loop: a drawing has a few kB. Raw grey bytes need no decoding.
MAX_INLINE_BYTES = 16 * 2**10

DETAILS = {"full", "features"}

# Files of onnxruntime-web in the page's folder, which `make runtime` puts there.
RUNTIME = ("runtime/ort.wasm.bundle.min.mjs", "runtime/ort-wasm-simd-threaded.wasm")

# Decimals in the answer; more would have no meaning.
SCORE_DECIMALS = 6
BOX_DECIMALS = 2


async def model(request: Request) -> Response:
    """Return the card of the model in use, with the settings that the page needs."""
    service = Service.of(request)
    facts = ServiceFacts(service.settings.collect is not None, has_runtime(service.settings.web))
    headers = {"content-type": "application/json"}
    return Response(await compressed(request, card_json(service.engine.model.card, facts), headers), headers=headers)


def card_json(card: ModelCard, facts: ServiceFacts) -> bytes:
    """Return the answer of GET /api/model."""
    return msgspec.json.encode(CardAnswer(**vars(card), service=facts))


async def model_file(request: Request) -> Response:
    """Return the file of the model in use, for a browser that reads without the service."""
    service = Service.of(request)
    if not has_runtime(service.settings.web):
        raise NotFoundError("The page has no runtime for the model: `make runtime` installs it.")
    headers = {"content-type": "application/octet-stream"}
    return Response(await compressed(request, service.engine.model.content, headers), headers=headers)


def has_runtime(web: Path) -> bool:
    """Return whether the page's folder has the runtime that runs the model in a browser."""
    return all((web / name).is_file() for name in RUNTIME)


async def predict(request: Request) -> Response:
    """Answer the picture or the strokes in the body, in any form of `serving.api.bodies`."""
    engine, settings = Service.of(request).engine, Service.of(request).settings
    timing: Timing = request.scope["timing"]
    query: bytes = request.scope["query_string"]
    details = asked_details(query)
    content_type = request.headers.get("content-type", "")
    data = await receive(request, settings.max_body_bytes)
    if _is_quick(content_type, data, query):
        read = _read(content_type, data, query, settings.max_pixels)
    else:
        read = await engine.short.run(_read, content_type, data, query, settings.max_pixels)
    del data  # inflated, it would take memory while the picture waits
    grey = read if isinstance(read, GreyImage) else await engine.large.run(_to_grey, read)
    timing.lap("decode")
    answer = await engine.predict(grey.pixels[None], with_features="features" in details)
    timing.add_answer(answer)
    response = JSONResponse(_message(grey, answer, details))
    timing.lap("encode")
    return response


def predict_quickly(service: Service, scope: Scope, data: bytes, timing: Timing) -> QuickStart | None:
    """Do what `predict` does, without a task, for what is quickly decoded, and without features."""
    query: bytes = scope["query_string"]
    details = asked_details(query)
    content_type = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
    if "features" in details or not _is_quick(content_type, data, query):
        return None
    grey = _read(content_type, data, query, service.settings.max_pixels)
    if not isinstance(grey, GreyImage):
        return None
    timing.lap("decode")
    return grey.pixels[None], lambda answer: _message(grey, answer, details)


def _is_quick(content_type: str, data: bytes, query: bytes) -> bool:
    return len(data) <= MAX_INLINE_BYTES or is_raw(content_type, data, query)


def _read(content_type: str, data: bytes, query: bytes, max_pixels: int) -> Picture | Sheet | GreyImage:
    """Open a body. Decode or draw what it has, unless it is large."""
    opened = open_body(content_type, data, query, max_pixels)
    if isinstance(opened, GreyImage) or opened.n_pixels > MAX_INLINE_PIXELS:
        return opened
    return _to_grey(opened)


def _to_grey(opened: Picture | Sheet) -> GreyImage:
    return draw(opened) if isinstance(opened, Sheet) else to_grey(opened)


def _message(grey: GreyImage, answer: Answer, details: Set[str]) -> DigitAnswer:
    fields = reading(answer.verdicts[0], answer.prediction.probabilities[0])
    fields["model_version"] = answer.card.version
    if "features" in details:
        if answer.prediction.features is None:
            raise NotFoundError("The model file lacks the output 'features'. Ask without ?detail=features.")
        fields["features"] = _rounded(answer.prediction.features[0])
    return full_answer(grey, answer, fields) if "full" in details else DigitAnswer(**fields)


def asked_details(query: bytes) -> Set[str]:
    """Return the members of `DETAILS` that a query asks for."""
    if b"detail" not in query:
        return frozenset()
    asked = {word for name, text in parse_qsl(query.decode("latin-1")) if name == "detail" for word in text.split(",")}
    if not asked or not asked <= DETAILS:
        raise BadRequestError("?detail= must be full, features, both with a comma between them, or absent.")
    return asked


def reading(verdict: Verdict, probabilities: npt.NDArray[np.float32]) -> dict[str, Any]:
    """Return the fields of `Reading`."""
    state, digit, _, digit_score = verdict
    rounded = _rounded(probabilities)
    is_read = state in READ
    return {
        "state": state,
        "digit": digit if is_read else None,
        "confidence": rounded[digit] if is_read else None,
        "probabilities": rounded,
        "digit_score": round(digit_score, SCORE_DECIMALS),
    }


def _rounded(values: npt.NDArray[np.float32]) -> list[float]:
    rounded: list[float] = values.astype(np.float64).round(SCORE_DECIMALS).tolist()
    return rounded


def full_answer(grey: GreyImage, answer: Answer, fields: dict[str, Any]) -> FullAnswer:
    """Return the full answer for one picture."""
    box, normalized = answer.prediction.box, answer.prediction.normalized
    if box is None or normalized is None:
        raise NotFoundError("The model file lacks the output 'box' or 'normalized'. Ask without ?detail=full.")
    return FullAnswer(
        **fields,
        box=None if fields["state"] == "blank" else _box(grey, box[0].tolist()),
        normalized=normalized[0].tobytes(),
        width=grey.width,
        height=grey.height,
    )


def _box(grey: GreyImage, sides: list[float]) -> Box:
    # The last row and column of a reduced picture may cover fewer than `factor` pixels.
    limits = (grey.width, grey.height) * 2
    scaled = [
        min((side - start) * grey.factor, limit)
        for side, start, limit in zip(sides, grey.origin * 2, limits, strict=True)
    ]
    return Box(*(round(side, BOX_DECIMALS) for side in scaled))


routes = [
    Route("/predict", predict, methods=["POST"]),
    Route("/model", model, methods=["GET"]),
    Route("/model.onnx", model_file, methods=["GET"]),
]
