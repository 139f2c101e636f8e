"""POST /api/predict and GET /api/model, for the page and for curl."""

import base64
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.api.bodies import Body, is_raw, open_body, receive
from serving.api.containers import Picture
from serving.api.images import GreyImage, to_grey
from serving.http.compression import accepted, compress, inflated
from serving.http.responses import JSONResponse
from serving.http.timing import Timing
from serving.model.decisions import READ
from serving.queue.engine import MAX_INLINE_PIXELS, Answer, Engine
from serving.settings import Settings

# Up to this size, a body is read on the event loop: a drawing has a few kB. Raw grey bytes need no decoding.
MAX_INLINE_BYTES = 16 * 2**10

# Decimals in the answer; more would have no meaning.
SCORE_DECIMALS = 6
BOX_DECIMALS = 2


async def model(request: Request) -> Response:
    """Return the card of the model in use, with the settings that the page needs."""
    engine: Engine = request.app.state.engine
    service = {"collects": request.app.state.drawings is not None}
    content = bytes(JSONResponse({**vars(engine.model.card), "service": service}).body)
    headers = {"vary": "accept-encoding"}
    if coding := accepted(request.headers.get("accept-encoding", "")):
        content = compress(content, coding)  # not in a thread, where the page would wait for large pictures
        headers["content-encoding"] = coding
    return Response(content, headers=headers, media_type="application/json")


async def predict(request: Request) -> Response:
    """Answer the picture in the body, in any form of `serving.api.bodies`."""
    engine: Engine = request.app.state.engine
    settings: Settings = request.app.state.settings
    timing: Timing = request.scope["timing"]
    body = await receive(request)
    timing.start()
    if body.coding:
        body = Body(body.content_type, await inflated(engine, body.data, body.coding, settings.max_body_bytes))
    query = request.scope["query_string"]
    if len(body.data) <= MAX_INLINE_BYTES or is_raw(body, query):
        read = _read(body, query, settings.max_pixels)
    else:
        read = await engine.short.run(_read, body, query, settings.max_pixels)
    del body  # inflated, it would take memory while the picture waits
    grey = await engine.large.run(to_grey, read) if isinstance(read, Picture) else read
    timing.lap("decode")
    answer = await engine.predict(grey.pixels[None])
    timing.add_answer(answer)
    response = JSONResponse(document(grey, answer))
    timing.lap("encode")
    return response


def _read(body: Body, query: bytes, max_pixels: int) -> Picture | GreyImage:
    """Open the picture in a body. Decode it unless it is large."""
    picture = open_body(body, query, max_pixels)
    if isinstance(picture, Picture) and picture.n_pixels <= MAX_INLINE_PIXELS:
        return to_grey(picture)
    return picture


def document(grey: GreyImage, answer: Answer) -> dict[str, Any]:
    """Return the JSON answer for one picture.

    `digit` and `confidence` are None unless the state is "digit" or "unsure". `alternatives` has the two best digits,
    the best first, if the state is "unsure". `box` is in pixels of the upright source.
    """
    prediction = answer.prediction
    # Uses the exact values, because a score that is only rounded to 0 still means ink.
    state, digit, _, digit_score = answer.verdicts[0]
    probabilities = prediction.probabilities[0].astype(np.float64).round(SCORE_DECIMALS).tolist()
    is_read = state in READ
    return {
        "state": state,
        "digit": digit if is_read else None,
        "confidence": probabilities[digit] if is_read else None,
        "alternatives": _best_two(probabilities) if state == "unsure" else [],
        "probabilities": probabilities,
        "digit_score": round(digit_score, SCORE_DECIMALS),
        "box": None if state == "blank" else _box(grey, prediction.box[0].tolist()),
        "normalized": base64.b64encode(prediction.normalized[0]).decode("ascii"),
        "width": grey.width,
        "height": grey.height,
        "model_version": answer.card.version,
    }


def _best_two(probabilities: list[float]) -> list[dict[str, float]]:
    ranking = sorted(range(len(probabilities)), key=probabilities.__getitem__, reverse=True)
    return [{"digit": digit, "confidence": probabilities[digit]} for digit in ranking[:2]]


def _box(grey: GreyImage, sides: list[float]) -> dict[str, float]:
    # The last row and column of a reduced picture may cover fewer than `factor` pixels.
    limits = (grey.width, grey.height, grey.width, grey.height)
    scaled = [min(side * grey.factor, limit) for side, limit in zip(sides, limits, strict=True)]
    names = ("left", "top", "right", "bottom")
    return {name: round(side, BOX_DECIMALS) for name, side in zip(names, scaled, strict=True)}


routes = [Route("/predict", predict, methods=["POST"]), Route("/model", model, methods=["GET"])]
