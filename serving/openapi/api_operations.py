"""The operations of /api in the OpenAPI document."""

import base64
import math
from typing import Any

from serving.api import drawings
from serving.api.containers import FORMATS, FORMATS_TEXT
from serving.api.images import MAX_SIDE_PX
from serving.api.network import MAX_GRIDS, N_GRID_BYTES
from serving.model.card import GOLDEN_SHAPE
from serving.openapi.operations import BINARY, in_json, responses
from serving.openapi.schemas import EXAMPLE_HEIGHT, EXAMPLE_WIDTH, example_png, ref, text
from serving.settings import Settings

SEEN = " x ".join(map(str, GOLDEN_SHAPE))


def predict(settings: Settings) -> dict[str, Any]:
    """POST /api/predict."""
    side = {"type": "integer", "minimum": 1, "maximum": MAX_SIDE_PX}
    sizes = [("width", EXAMPLE_WIDTH), ("height", EXAMPLE_HEIGHT)]
    picture = f"data:image/png;base64,{base64.b64encode(example_png()).decode('ascii')}"
    form = {"type": "object", "properties": {"image": BINARY}, "required": ["image"]}
    image = text("A data URL, or base64 alone.")
    return {
        "tags": ["Predict"],
        "operationId": "predict",
        "summary": "Read a digit",
        "description": f"{FORMATS_TEXT} as the body, in a form or in JSON, or raw grey bytes row by row, dark on light "
        f"or light on dark, with `width` and `height`; without these, {math.prod(GOLDEN_SHAPE)} bytes are {SEEN}. "
        "The body, unless it is a form, may be compressed (gzip, deflate). "
        f"At most {settings.max_body_bytes:,} bytes and {settings.max_pixels:,} pixels.",
        "parameters": [
            {"name": name, "in": "query", "schema": side, "example": example}
            | {"description": f"Of raw grey bytes (`application/octet-stream`): their {name} in pixels."}
            for name, example in sizes
        ],
        "requestBody": {
            "required": True,
            "content": {
                **{f"image/{name.lower()}": {"schema": BINARY} for name in FORMATS},
                "multipart/form-data": {"schema": form},
                "application/json": {
                    "schema": {"type": "object", "properties": {"image": image}, "required": ["image"]},
                    "example": {"image": picture},
                },
                "application/octet-stream": {"schema": BINARY},
            },
        },
        "responses": responses(in_json("Answer"), 415, 422),
    }


def ask_network() -> dict[str, Any]:
    """POST /api/network."""
    return {
        "tags": ["Predict"],
        "operationId": "network",
        "summary": "Ask the network alone",
        "description": f"1 to {MAX_GRIDS} grids, {N_GRID_BYTES} bytes each, as `normalized` of an answer has them: "
        f"{SEEN} grey levels, row by row, 255 = ink. They are not prepared in any way.",
        "parameters": [
            {"name": "layers", "in": "query", "schema": {"type": "boolean"}, "example": True}
            | {"description": "Whether the feature maps of the first grid are told as well."}
        ],
        "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": BINARY}}},
        "responses": responses(in_json("NetworkAnswer"), 415),
    }


def keep_drawing() -> dict[str, Any]:
    """POST /api/drawings."""
    content = {"application/json": {"schema": ref("Drawing"), "example": drawings.EXAMPLE}}
    return {
        "tags": ["Predict"],
        "operationId": "keepDrawing",
        "summary": "Tell a drawing's right digit",
        "description": "Where the service is started with `--collect`, it keeps the drawing, to train on: the pen's "
        "path and the digit, nothing else. The same drawing is kept once. "
        f"At most {drawings.MAX_BYTES:,} bytes and {drawings.MAX_POINTS:,} points; and {drawings.MAX_DRAWINGS:,} "
        "drawings in all.",
        "requestBody": {"required": True, "content": content},
        "responses": responses(in_json("KeptDrawing"), 403, 415, 507, status=201),
    }
