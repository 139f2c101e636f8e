"""The weights of a number's reading. They stand in the model file's metadata."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

# A digit wider than this, in line heights, costs more.
USUAL_WIDTH = 1.0

Weight = Annotated[float, Meta(ge=-100, le=100)]


@dataclass(frozen=True)
class NumberWeights:
    """The weights of the parts of the cost, and its limit. Lengths are relative to the line's height.

    Attributes:
        score: of minus the log of the digit score.
        digit: constant for each digit.
        gap: of the widest gap between the strokes of a digit.
        late: of each stroke of another digit that was drawn between those of a digit.
        lowness: of how much lower than the line a digit is.
        width: of how much wider than `USUAL_WIDTH` a digit is.
        overlap: of how much a digit overlaps the next one.
        max_cost: strokes whose best reading has several digits and costs more are not a number.
    """

    score: Weight
    digit: Weight
    gap: Weight
    late: Weight
    lowness: Weight
    width: Weight
    overlap: Weight
    max_cost: Weight
