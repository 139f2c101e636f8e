"""The table of the parts of the data. `pipeline.prepare` has a function with the same key for each part."""

from dataclasses import dataclass

from pipeline.base.errors import DataError


@dataclass(frozen=True)
class Part:
    """One kind of training and validation images.

    Attributes:
        name: name in the data card and, unless `selected_with` is set, in `train.parts`.
        source: title of the source, for the model card.
        licence: licence of the images, for the model card.
        gate: the limit of conf/gates.yaml that applies to the part.
        selected_with: another part; if `train.parts` contains its name, this part is selected, too.
    """

    name: str
    source: str
    licence: str
    gate: str
    selected_with: str | None = None


PARTS = {
    part.name: part
    for part in (
        Part("mnist", "MNIST (Y. LeCun, C. Cortes, C. Burges)", "CC BY-SA 3.0", gate="mnist"),
        Part(
            "pendigits",
            "Pen-Based Recognition of Handwritten Digits (E. Alpaydin, F. Alimoglu, UCI 81)",
            "CC BY 4.0",
            gate="strokes",
        ),
        Part("skeletons", "drawn by this project", "MIT", gate="strokes"),
        Part(
            "nondigits",
            "drawn by this project, from Hershey glyphs and from strokes of the other parts",
            "that of its sources",
            gate="nondigits",
        ),
        Part(
            "extra",
            "drawings of `data.extra_strokes`, such as corrections that a service collected",
            "that of their writers",
            gate="strokes",
            selected_with="pendigits",
        ),
    )
}
SELECTABLE = tuple(part.name for part in PARTS.values() if not part.selected_with)


def find_part(name: str) -> Part:
    """Return the row of a part.

    Raises:
        DataError: the table has no such part.
    """
    if name not in PARTS:
        raise DataError(
            f"the data has an unknown part {name!r}, not one of {', '.join(PARTS)}: run `dvc repro prepare`, or add a "
            "row to pipeline/base/parts.py"
        )
    return PARTS[name]
