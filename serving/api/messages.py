"""What the routes of /api take and return. `/openapi.json` and the page's types are made from these classes."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from serving.model.card import ModelCard, Version, about
from serving.model.decisions import State
from serving.numbers.reader import MAX_STROKES as MAX_STROKES_OF_NUMBER
from serving.numbers.reader import State as NumberState

# A digit is a few strokes of some hundred points each.
MAX_STROKES = 100

# The canvas is 0 to 1. The pen may leave it while it is down.
LOWEST, HIGHEST = -0.5, 1.5

ID_LENGTH = 32  # hex digits

Share = Annotated[float, Meta(ge=0, le=1)]
Index = Annotated[int, Meta(ge=0)]
Length = Annotated[int, Meta(ge=1)]
Pixels = Annotated[float, Meta(ge=0)]
Coordinate = Annotated[float, Meta(ge=LOWEST, le=HIGHEST)]
Stroke = Annotated[list[tuple[Coordinate, Coordinate]], Meta(min_length=1)]
Strokes = Annotated[
    list[Stroke],
    Meta(
        min_length=1,
        max_length=MAX_STROKES,
        description="Lists of points: x and y from the top left of the canvas, which is 0 to 1.",
    ),
]


class Picture(Struct):
    """A picture in JSON."""

    image: Annotated[str, about("A data URL, or only its base64.")]


class Drawing(Struct):
    """The strokes of a drawing."""

    strokes: Strokes


class Reading(Struct, forbid_unknown_fields=True):
    """The reading of an image. Digits are indices of the model's classes."""

    state: Annotated[
        State,
        about(
            "`blank`: there is no ink. `not_a_digit`: the ink is not one digit. `unsure`: it may be one of "
            "two digits. `digit`: it is that digit. The thresholds are in the model's card."
        ),
    ]
    digit: Annotated[Index | None, about("The most probable digit, if the state is `digit` or `unsure`; else null.")]
    confidence: Annotated[Share | None, about("Its calibrated probability.")]
    probabilities: Annotated[list[Share], about("Of each digit, if the ink is one. They add up to 1.")]
    digit_score: Annotated[Share, about("Probability that the ink is one digit; 0 if there is no ink.")]


class DigitAnswer(Reading):
    """The reading of a picture."""

    model_version: Version
    features: Annotated[
        list[float] | UnsetType, about("Unit vector that the last layer reads; only with `detail=features`.")
    ] = UNSET


class Box(Struct, forbid_unknown_fields=True):
    """A part of the upright picture, in pixels."""

    left: Pixels
    top: Pixels
    right: Pixels
    bottom: Pixels


class FullAnswer(DigitAnswer, kw_only=True):
    """The reading of a picture, and what the network saw."""

    box: Annotated[Box | None, about("Where the ink is; null if there is none.")]
    normalized: Annotated[bytes, about("The input of the network in base64: 28 x 28 bytes, row by row, 255 = ink.")]
    width: Annotated[Length, about("Of the upright picture, in pixels.")]
    height: Annotated[Length, about("Of the upright picture, in pixels.")]


class LayerMaps(Struct, forbid_unknown_fields=True):
    """The feature maps of a layer."""

    name: str
    kind: Annotated[str, about("Keras's class.")]
    shape: Annotated[tuple[Length, Length, Length], about("Height, width and number of the maps.")]
    peak: Annotated[float, about("The highest value of all maps.", ge=0)]
    maps: Annotated[bytes, about("Bytes in base64, map by map, row by row: 255 is the peak, 0 is 0 or less.")]


class NetworkAnswer(Struct, forbid_unknown_fields=True):
    """The readings of grids."""

    model_version: Version
    answers: Annotated[list[Reading], about("Of each grid, in their order.")]
    layers: Annotated[list[LayerMaps] | UnsetType, about("Of the first grid; only with `layers=true`.")] = UNSET


class KernelAnswer(Struct, forbid_unknown_fields=True):
    """The kernel of one feature map: what a convolution multiplies with each part of the maps that it reads."""

    model_version: Version
    reads: Annotated[str, about("The layer whose maps it reads, or `inputs` for the grid.")]
    stride: Length
    n_maps: Annotated[Length, about("Number of the maps that it reads.")]
    height: Length
    width: Length
    peak: Annotated[float, about("The largest absolute weight.", ge=0)]
    weights: Annotated[
        bytes, about("Signed bytes in base64, row by row, for one map after the other: 127 is the peak.")
    ]


class LabelledDrawing(Drawing):
    """The strokes of a drawing, and the digit that it shows."""

    label: Annotated[Index, about("The digit, an index of the model's classes.")]


class NumberDrawing(Struct):
    """The strokes of a number."""

    strokes: Annotated[
        list[Stroke],
        Meta(
            min_length=1,
            max_length=MAX_STROKES_OF_NUMBER,
            description="In the order of drawing: lists of points, x and y from the top left of the canvas, 0 to 1.",
        ),
    ]


class SheetBox(Struct, forbid_unknown_fields=True):
    """A part of the canvas, which is 0 to 1."""

    left: Coordinate
    top: Coordinate
    right: Coordinate
    bottom: Coordinate


class NumberDigit(Struct, forbid_unknown_fields=True):
    """A digit of a number."""

    digit: Annotated[Index, about("An index of the model's classes.")]
    confidence: Annotated[Share, about("Its calibrated probability, if the strokes are one digit.")]
    digit_score: Annotated[Share, about("Probability that the strokes are one digit.")]
    strokes: Annotated[list[Index], about("The positions of its strokes in the request.")]
    box: Annotated[SheetBox, about("Around its strokes.")]


class AlternativeNumber(Struct, forbid_unknown_fields=True):
    """Another reading of a number."""

    number: str
    confidence: Share


class NumberAnswer(Struct, forbid_unknown_fields=True):
    """The reading of a number."""

    state: Annotated[
        NumberState,
        about(
            "`number`: one or more digits. `unsure`: its confidence is below the model's threshold. `not_a_number`: "
            "a part is not a digit, or the parts do not fit together. The thresholds are in the model's card."
        ),
    ]
    number: Annotated[str | None, about("The digits from left to right; null if the strokes are not a number.")]
    confidence: Annotated[
        Share | None, about("Probability of this reading among all readings of the strokes as digits.")
    ]
    digits: Annotated[list[NumberDigit], about("From left to right.")]
    alternatives: Annotated[list[AlternativeNumber], about("The next readings, the best first.", max_length=2)]
    model_version: Version


class KeptDrawing(Struct, forbid_unknown_fields=True):
    """A stored drawing."""

    id: Annotated[str, about("The same drawing has the same ID.", pattern=f"^[0-9a-f]{{{ID_LENGTH}}}$")]


class ServiceFacts(Struct, forbid_unknown_fields=True):
    """The settings that a page needs."""

    collects: Annotated[bool, about("Whether POST /api/drawings stores drawings.")]
    runtime: Annotated[bool, about("Whether the page has a runtime for the model, and GET /api/model.onnx the model.")]


@dataclass(frozen=True, kw_only=True)
class CardAnswer(ModelCard):
    """The metadata of the model file, null where the file has none, and settings of the service."""

    service: ServiceFacts
