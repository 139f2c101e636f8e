"""Look through collected drawings before they train a model, the most doubtful labels first.

python -m pipeline.review DRAWINGS

The argument is a folder of --collect. The model file reads each drawing. The command lists the files by how little the
model believes their label, and writes pictures of the first ones to outputs/review.png. Delete the files whose label is
wrong, then name the folder in `data.extra_strokes`.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pipeline.base.classes import CLASSES
from pipeline.base.errors import InklingError
from pipeline.base.figures import save_figure
from pipeline.base.paths import Outputs
from pipeline.sources.unipen import BOX_PX, Drawing, load_files
from serving.drawing.sheet import lay_out
from serving.errors import ModelError
from serving.model.predictor import Predictor

N_PICTURES = 60
N_COLUMNS = 10
BATCH = 500


@dataclass(frozen=True)
class Reviewed:
    """A drawing with a label, and how the model reads it.

    Attributes:
        name: of its file.
        label: the class that the file names.
        image: uint8 ``[side, side]``, 255 = ink.
        state: of the answer.
        digit: the most probable class.
        belief: probability that the ink is a digit, and the label's one.
    """

    name: str
    label: int
    image: np.ndarray
    state: str
    digit: int
    belief: float

    @property
    def reading(self) -> str:
        """Return the class that the model reads, or the state if it reads none."""
        return self.state.replace("_", " ") if self.state in ("blank", "not_a_digit") else CLASSES[self.digit]


def review(drawings: Sequence[tuple[str, Drawing]], predictor: Predictor) -> list[Reviewed]:
    """Read drawings with their file names. Return them in the order of `belief`, the lowest first."""
    found = []
    for start in range(0, len(drawings), BATCH):
        batch = drawings[start : start + BATCH]
        images = np.stack([lay_out([stroke / BOX_PX for stroke in one.strokes]).draw() for _, one in batch])
        prediction = predictor.run(images)
        verdicts = predictor.verdicts(prediction)
        beliefs = prediction.probabilities[range(len(batch)), [one.label for _, one in batch]] * prediction.digit_score
        found += [
            Reviewed(name, one.label, image, verdict.state, verdict.digit, float(belief))
            for (name, one), image, verdict, belief in zip(batch, images, verdicts, beliefs, strict=True)
        ]
    return sorted(found, key=lambda one: one.belief)


def plot(reviewed: Sequence[Reviewed]) -> Figure:
    """Draw each drawing, dark on light, with its file, its label and its reading."""
    n_rows = -(-len(reviewed) // N_COLUMNS)
    figure = Figure(figsize=(1.2 * N_COLUMNS, 1.5 * n_rows), layout="constrained")
    cells = figure.subplots(n_rows, N_COLUMNS, squeeze=False).ravel()
    for axes in cells:
        axes.set_axis_off()
    for axes, one in zip(cells, reviewed, strict=False):
        axes.imshow(255 - one.image, cmap="gray", vmin=0, vmax=255)
        axes.set_title(f"{CLASSES[one.label]}, read as {one.reading}\n{Path(one.name).stem[:8]}", fontsize=7)
    return figure


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("drawings", type=Path)
    parser.add_argument("--picture", type=Path, default=Path("outputs/review.png"), help="default %(default)s")
    options = parser.parse_args()
    try:
        drawings = [(file.name, drawing) for file, drawing in load_files(options.drawings)]
        reviewed = review(drawings, Predictor.load(Outputs().model))
    except (InklingError, ModelError) as error:
        sys.exit(f"error: {error}")
    doubtful = [one for one in reviewed if one.reading != CLASSES[one.label]]
    for one in doubtful:
        print(f"{one.name}  label {CLASSES[one.label]}, read as {one.reading}, belief in the label {one.belief:.4f}")
    save_figure(plot(reviewed[:N_PICTURES]), options.picture)
    print(f"{len(doubtful)} of {len(reviewed)} drawings are read as something else than their label.")
    print(f"The {min(N_PICTURES, len(reviewed))} most doubtful: {options.picture}")


if __name__ == "__main__":
    main()
