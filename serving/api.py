"""/api/*: what the page and a person's curl use."""

import base64
import time
from dataclasses import asdict
from typing import Any

from anyio import CapacityLimiter, to_thread
from PIL import Image
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serving.bodies import open_body, receive
from serving.card import N_CLASSES, ModelCard
from serving.images import GreyImage, to_grey
from serving.predictor import Prediction, Predictor
from serving.settings import Settings

# Up to this size (a canvas of 600 x 600) a picture is read on the event loop: a thread would cost more than the model.
# A larger one would hold up everyone else; as a transparent PNG, a megapixel takes 30 ms.
MAX_INLINE_PIXELS = 400_000

# How many larger pictures are read at a time. At the pixel limit, a WebP takes 800 MB for a moment, others 400 MB.
N_LARGE_AT_A_TIME = 1

# Decimals in the answer: more would be digits without meaning, and make it longer.
SCORE_DECIMALS = 6
BOX_DECIMALS = 2


class ServerTiming:
    """How long each step of a request took, for the Server-Timing header."""

    def __init__(self) -> None:
        """Starts the clock."""
        self._laps: list[str] = []
        self._last_s = time.perf_counter()

    def lap(self, step: str) -> None:
        """Ends a step: it took the time since the last one ended."""
        now_s = time.perf_counter()
        self._laps.append(f"{step};dur={(now_s - self._last_s) * 1000:.3f}")
        self._last_s = now_s

    def header(self) -> str:
        """The header's value; durations in milliseconds."""
        return ", ".join(self._laps)


def routes(card: ModelCard) -> list[Route]:
    """The routes below /api."""
    document = asdict(card)

    async def model(_: Request) -> Response:
        return JSONResponse(document)

    return [Route("/predict", predict, methods=["POST"]), Route("/model", model, methods=["GET"])]


async def predict(request: Request) -> Response:
    """Reads the picture in the body, in any of the forms of `serving.bodies`."""
    settings: Settings = request.app.state.settings
    predictor: Predictor = request.app.state.predictor
    large_images: CapacityLimiter = request.app.state.large_images

    body = await receive(request)
    timing = ServerTiming()
    image = open_body(body, request.query_params, settings.max_pixels)
    if image.width * image.height <= MAX_INLINE_PIXELS:
        grey, prediction = recognise(image, predictor, timing)
    else:
        grey, prediction = await to_thread.run_sync(recognise, image, predictor, timing, limiter=large_images)
    response = JSONResponse(answer(grey, prediction, predictor))
    timing.lap("encode")
    response.headers["server-timing"] = timing.header()
    return response


def recognise(image: Image.Image, predictor: Predictor, timing: ServerTiming) -> tuple[GreyImage, Prediction]:
    """Decodes one opened picture and runs the model on it.

    Raises:
        UnreadableImageError: the pixels are damaged or cut short.
    """
    grey = to_grey(image)
    timing.lap("decode")
    prediction = predictor.run(grey.pixels[None])
    timing.lap("infer")
    return grey, prediction


def answer(grey: GreyImage, prediction: Prediction, predictor: Predictor) -> dict[str, Any]:
    """The JSON answer for one picture, from a prediction for just that one.

    `digit` and `confidence` are None unless the state is "digit" or "unsure". `alternatives` are the two best digits,
    the best first, if the state is "unsure", and none otherwise. `box` is in pixels of the upright source.
    """
    digit_score = float(prediction.digit_score[0])
    # Of the exact values: a score so low that it is rounded to 0 still means ink.
    state = predictor.state(digit_score, float(prediction.probabilities[0].max()))
    probabilities = [round(value, SCORE_DECIMALS) for value in prediction.probabilities[0].tolist()]
    ranking = sorted(range(N_CLASSES), key=probabilities.__getitem__, reverse=True)
    best_two = [{"digit": digit, "confidence": probabilities[digit]} for digit in ranking[:2]]
    is_read = state in ("digit", "unsure")
    return {
        "state": state,
        "digit": best_two[0]["digit"] if is_read else None,
        "confidence": best_two[0]["confidence"] if is_read else None,
        "alternatives": best_two if state == "unsure" else [],
        "probabilities": probabilities,
        "digit_score": round(digit_score, SCORE_DECIMALS),
        "box": None if state == "blank" else _box(grey, prediction.box[0].tolist()),
        "normalized": base64.b64encode(prediction.normalized[0].tobytes()).decode("ascii"),
        "width": grey.width,
        "height": grey.height,
        "model_version": predictor.card.version,
    }


def _box(grey: GreyImage, sides: list[float]) -> dict[str, float]:
    # The last row and column of a reduced picture may stand for fewer than `factor` pixels: stay within the source.
    limits = (grey.width, grey.height, grey.width, grey.height)
    scaled = [min(side * grey.factor, limit) for side, limit in zip(sides, limits, strict=True)]
    names = ("left", "top", "right", "bottom")
    return {name: round(side, BOX_DECIMALS) for name, side in zip(names, scaled, strict=True)}
