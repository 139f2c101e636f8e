"""POST /api/drawings: store corrected drawings for training, if `--collect` names a folder.

Each drawing is a UNIPEN text file, like Pendigits' original files. It contains the pen's path and the label, but not
the sender or the time. Pages of other origins cannot store drawings: before a browser sends JSON to another origin, it
asks for permission, and only `--cors-origins` grants it.
"""

import hashlib
import logging
import os
import secrets
from pathlib import Path
from tempfile import TemporaryFile

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.api import strokes
from serving.api.bodies import check_type
from serving.api.messages import ID_LENGTH, KeptDrawing, LabelledDrawing
from serving.errors import BadRequestError, ForbiddenError, StartError, StoreFullError
from serving.http.compression import receive
from serving.http.decoding import decoded
from serving.http.responses import JSONResponse
from serving.service import Service

MAX_BYTES = 2**20

# Limit of the stored drawings, because any client may send some. A drawing usually has 5 kB, and at most 350 kB.
MAX_DRAWINGS = 10_000

# Size of the canvas in the file, as on Pendigits' tablet, and decimals of a coordinate: finer than any pen.
BOX = 500
DECIMALS = 2

SUFFIX = ".unipen"

EXAMPLE = strokes.EXAMPLE | {"label": 7}
EXAMPLE_TEXT = f"Send JSON such as {msgspec.json.encode(EXAMPLE).decode()}."

DECODER = msgspec.json.Decoder(LabelledDrawing)

log = logging.getLogger(__name__)


def prepare(folder: Path) -> None:
    """Create the folder of the drawings if it does not exist, and check that it can be used."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise StartError(f"The folder {folder} of --collect cannot be used: {error.strerror}.") from None


def store(folder: Path, data: bytes, n_classes: int) -> str:
    """Store the drawing in a JSON body. Return its ID, which is the same for the same drawing."""
    content = unipen(parse(data, n_classes)).encode("ascii")
    id_ = hashlib.sha256(content).hexdigest()[:ID_LENGTH]
    try:
        _write(folder / f"{id_}{SUFFIX}", content)
    except OSError as error:
        log.exception("A drawing could not be stored in %s.", folder)
        raise StoreFullError(f"The drawing could not be stored: {error.strerror}.") from error
    return id_


def _write(file: Path, content: bytes) -> None:
    if file.exists():
        return
    if len([*file.parent.glob(f"*{SUFFIX}")]) >= MAX_DRAWINGS:
        raise StoreFullError(
            f"The service stores at most {MAX_DRAWINGS} drawings. Its operator can move them to another folder."
        )
    # Write to a temporary file, so that no reader sees an incomplete drawing.
    unfinished = file.with_name(f".{file.stem}.{secrets.token_hex(4)}")
    try:
        with unfinished.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def parse(data: bytes, n_classes: int) -> LabelledDrawing:
    """Parse a JSON body."""
    drawing = decoded(DECODER, data, EXAMPLE_TEXT)
    if drawing.label >= n_classes:
        raise BadRequestError(f"The label is not a class of the model, 0 to {n_classes - 1}.")
    strokes.check_length(drawing)
    return drawing


def unipen(drawing: LabelledDrawing) -> str:
    """Return a drawing as UNIPEN text, in which y goes up."""
    label = drawing.label
    lines = [f'.SEGMENT DIGIT 0 ? "{label}"', f".COMMENT {label} 0 0"]  # writer 0: unknown
    for stroke in drawing.strokes:
        points = [f"{BOX * x:.{DECIMALS}f} {BOX * (1 - y):.{DECIMALS}f}" for x, y in stroke]
        lines += [".PEN_DOWN", *points, ".PEN_UP"]
    return "\n".join([*lines, ""])


async def keep(request: Request) -> Response:
    """Store the drawing in the body."""
    engine, settings = Service.of(request).engine, Service.of(request).settings
    if settings.collect is None:
        raise ForbiddenError("This service stores no drawings. Start it with --collect to name a folder for them.")
    n_classes = len(engine.model.card.classes)
    check_type(request, "application/json")
    data = await receive(request, MAX_BYTES)
    return JSONResponse(KeptDrawing(await engine.short.run(store, settings.collect, data, n_classes)), 201)


routes = [Route("/drawings", keep, methods=["POST"])]
