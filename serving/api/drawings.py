"""POST /api/drawings: drawings whose right digit somebody has told, kept to train on where the service is told to.

Each is a file of UNIPEN text, as Pendigits' original files are. It holds the pen's path and the digit, and nothing of
who sent it or when. A page of another origin cannot have a drawing kept: JSON as the Content-Type has the browser ask
first, and the answer is no unless `--cors-origins` names that origin.
"""

import hashlib
import logging
import os
import re
import secrets
import time
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.api.bodies import receive_as
from serving.errors import BadRequestError, ForbiddenError, StartError, StoreFullError, TooLargeError
from serving.http.compression import inflated
from serving.http.responses import JSONResponse
from serving.model.card import N_CLASSES
from serving.queue.engine import Engine
from serving.settings import Settings

# A digit is a few strokes of some hundred points each.
MAX_STROKES = 100
MAX_POINTS = 20_000
MAX_BYTES = 2**20

# The sheet is 0 to 1; a pen that is held down may leave it.
LOWEST, HIGHEST = -0.5, 1.5

# All that are kept, of 5 kB as people draw them and of 350 kB at most: whoever reaches the service may send some.
MAX_DRAWINGS = 10_000

# Of the box that the sheet becomes, as Pendigits' tablet had it; and decimals within it, finer than any pen.
BOX = 500
DECIMALS = 2

SUFFIX = ".unipen"
ID_LENGTH = 32  # hex digits
TOKEN_LENGTH = 8  # the same, of what is not whole yet
UNFINISHED = re.compile(rf"\.[0-9a-f]{{{ID_LENGTH}}}\.[0-9a-f]{{{TOKEN_LENGTH}}}")

# Writing takes milliseconds: what is not whole after so long never will be.
ABANDONED_S = 600.0

EXAMPLE = {"strokes": [[[0.2, 0.2], [0.8, 0.2], [0.4, 0.9]]], "label": 7}
EXAMPLE_TEXT = f"Send JSON such as {orjson.dumps(EXAMPLE).decode()}."

Strokes = list[list[tuple[float, float]]]

log = logging.getLogger(__name__)


class Drawings:
    """A folder of drawings; the workers share it."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder if there is none, and removes what a killed process left half written.

        Raises:
            StartError: nothing can be written there, or what is there cannot be counted.
        """
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StartError(f"The folder {folder} of --collect cannot be made: {error.strerror}.") from None
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise StartError(f"The folder {folder} of --collect cannot be read and written. Name another.")
        for file in folder.iterdir():
            if UNFINISHED.fullmatch(file.name):
                _remove_abandoned(file)

    def keep(self, data: bytes) -> str:
        """Keeps the drawing in a request's body; returns its id, by which the same drawing is kept once.

        Raises:
            RequestError: it is not a drawing, is above a limit, `MAX_DRAWINGS` are kept already, or the disk fails.
        """
        content = unipen(*parse(data)).encode("ascii")
        id_ = hashlib.sha256(content).hexdigest()[:ID_LENGTH]
        try:
            self._write(id_, content)
        except OSError as error:
            log.exception("A drawing could not be stored in %s.", self._folder)
            raise StoreFullError(f"The drawing could not be stored: {error.strerror}.") from error
        return id_

    def _write(self, id_: str, content: bytes) -> None:
        file = self._folder / f"{id_}{SUFFIX}"
        if file.exists():
            return
        with os.scandir(self._folder) as entries:
            n_kept = sum(entry.name.endswith(SUFFIX) for entry in entries)
        if n_kept >= MAX_DRAWINGS:
            raise StoreFullError(
                f"{MAX_DRAWINGS} drawings are kept here, and no more. Whoever runs the service may move them."
            )
        # Under a name of its own until it is whole: a reader, or another worker, never meets half a drawing.
        unfinished = self._folder / f".{id_}.{secrets.token_hex(TOKEN_LENGTH // 2)}"
        try:
            with unfinished.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            unfinished.replace(file)
        finally:
            unfinished.unlink(missing_ok=True)


def _remove_abandoned(file: Path) -> None:
    """Removes a file that no worker is writing any more."""
    try:
        if time.time() - file.stat().st_mtime > ABANDONED_S:
            file.unlink()
    except OSError:  # another worker has just made it whole or removed it; whatever else it is, it is in nobody's way
        pass


def parse(data: bytes) -> tuple[Strokes, int]:
    """The strokes and the digit in a JSON body.

    Raises:
        BadRequestError: it is not exactly what `EXAMPLE` is like.
        TooLargeError: too many bytes, strokes or points.
    """
    if len(data) > MAX_BYTES:
        raise TooLargeError(f"The drawing has {len(data)} bytes; at most {MAX_BYTES} are read.")
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise BadRequestError(f"The body ({len(data)} bytes) is not JSON. {EXAMPLE_TEXT}") from None
    if not isinstance(document, dict) or document.keys() != EXAMPLE.keys():
        raise BadRequestError(f'The JSON is not an object with "strokes" and "label" alone. {EXAMPLE_TEXT}')
    strokes, label = document["strokes"], document["label"]
    if type(label) is not int or not 0 <= label < N_CLASSES:
        raise BadRequestError(f'"label" is not a digit, 0 to {N_CLASSES - 1}. {EXAMPLE_TEXT}')
    if (
        not isinstance(strokes, list)
        or not strokes
        or not all(isinstance(stroke, list) and stroke for stroke in strokes)
    ):
        raise BadRequestError(f'"strokes" is not a list of lists of points, none of them empty. {EXAMPLE_TEXT}')
    n_points = sum(map(len, strokes))
    if len(strokes) > MAX_STROKES or n_points > MAX_POINTS:
        raise TooLargeError(
            f"The drawing has {len(strokes)} strokes and {n_points} points; at most {MAX_STROKES} and {MAX_POINTS} are "
            "kept."
        )
    if not all(_is_point(point) for stroke in strokes for point in stroke):
        raise BadRequestError(
            f"A point is not two numbers from {LOWEST} to {HIGHEST}; the sheet is 0 to 1. {EXAMPLE_TEXT}"
        )
    return strokes, label


def _is_point(point: Any) -> bool:
    return (
        isinstance(point, list)
        and len(point) == 2
        and all(type(value) in (int, float) and LOWEST <= value <= HIGHEST for value in point)
    )


def unipen(strokes: Strokes, label: int) -> str:
    """A drawing as UNIPEN text.

    Args:
        strokes: x and y from the sheet's top left, y down, 0..1 within the sheet.
        label: the digit that it is.
    """
    lines = [f'.SEGMENT DIGIT 0 ? "{label}"', f".COMMENT {label} 0 0"]  # writer 0: nobody knows who
    for stroke in strokes:
        points = [f"{BOX * x:.{DECIMALS}f} {BOX * (1 - y):.{DECIMALS}f}" for x, y in stroke]
        lines += [".PEN_DOWN", *points, ".PEN_UP"]
    return "\n".join([*lines, ""])


async def keep(request: Request) -> Response:
    """Keeps the drawing in the body."""
    engine: Engine = request.app.state.engine
    settings: Settings = request.app.state.settings
    drawings: Drawings | None = request.app.state.drawings
    if drawings is None:
        raise ForbiddenError("This service keeps no drawings; --collect names a folder for them.")
    body = await receive_as("application/json", request)
    data = await inflated(engine, body.data, body.coding, min(settings.max_body_bytes, MAX_BYTES))
    return JSONResponse({"id": await engine.in_thread(drawings.keep, data)}, 201)


routes = [Route("/drawings", keep, methods=["POST"])]
