"""POST /api/number: read pen strokes as a number of several digits.

The candidates of a drawing are read beside the queue, in a thread: they are no pictures that a client sent, and the
metrics of the answers do not count them.
"""

import msgspec
import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.api.messages import AlternativeNumber, NumberAnswer, NumberDigit, NumberDrawing, SheetBox
from serving.api.predict import SCORE_DECIMALS
from serving.api.strokes import check_length
from serving.drawing.strokes import Strokes
from serving.errors import NotFoundError
from serving.http.compression import receive
from serving.http.decoding import decoded
from serving.http.responses import JSONResponse
from serving.http.timing import Timing
from serving.model.predictor import Predictor
from serving.numbers.reader import Answers, read_number
from serving.queue.engine import Images
from serving.service import Service

MAX_BYTES = 2**20

# A 1 and a 7.
EXAMPLE = {"strokes": [[[0.3, 0.2], [0.3, 0.7]], [[0.5, 0.2], [0.8, 0.2], [0.6, 0.7]]]}
EXAMPLE_TEXT = f"Send JSON such as {msgspec.json.encode(EXAMPLE).decode()}."

DECODER = msgspec.json.Decoder(NumberDrawing)


def answer_number(predictor: Predictor, data: bytes) -> NumberAnswer:
    """Return the answer to a JSON body."""
    card = predictor.card
    if card.number is None:
        raise NotFoundError("The model file lacks the metadata 'number', so it reads only single digits.")
    drawing = decoded(DECODER, data, EXAMPLE_TEXT)
    check_length(drawing)
    strokes: Strokes = [np.array(stroke, np.float64) for stroke in drawing.strokes]

    def model(pictures: Images) -> Answers:
        prediction = predictor.run(pictures)
        return prediction.probabilities, prediction.digit_score

    limits = card.thresholds.digit_score, card.thresholds.confidence
    number = read_number(strokes, model, card.number, *limits)
    if number.state == "not_a_number":
        return NumberAnswer(number.state, None, None, [], [], card.version)
    digits = [
        NumberDigit(
            digit.digit,
            _rounded(digit.confidence),
            _rounded(digit.digit_score),
            list(digit.strokes),
            SheetBox(**{name: _rounded(side) for name, side in vars(digit.box).items()}),
        )
        for digit in number.digits
    ]
    alternatives = [
        AlternativeNumber(_text(predictor, digits), _rounded(share)) for digits, share in number.alternatives
    ]
    text = _text(predictor, [digit.digit for digit in digits])
    return NumberAnswer(number.state, text, _rounded(number.confidence), digits, alternatives, card.version)


def _text(predictor: Predictor, digits: "list[int] | tuple[int, ...]") -> str:
    return "".join(predictor.card.classes[digit] for digit in digits)


def _rounded(value: float) -> float:
    return round(value, SCORE_DECIMALS)


async def number(request: Request) -> Response:
    """Answer the strokes in the body."""
    engine = Service.of(request).engine
    timing: Timing = request.scope["timing"]
    predictor = engine.model
    data = await receive(request, MAX_BYTES)
    answer = await engine.short.run(answer_number, predictor, data)
    timing.lap("number")
    return JSONResponse(answer)


routes = [Route("/number", number, methods=["POST"])]
