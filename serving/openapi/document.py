"""The OpenAPI 3.1 document at /openapi.json, which the page at /docs shows. Its schemas are the classes of messages."""

import base64
import io
from functools import lru_cache

from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from serving.api import drawings
from serving.api import messages as api
from serving.api.containers import FORMATS, FORMATS_TEXT
from serving.api.images import MAX_SIDE_PX
from serving.api.network import MAX_GRIDS, N_GRID_BYTES
from serving.http import responses
from serving.http.responses import Error, JSONResponse
from serving.model.card import INPUTS, MODEL_NAME
from serving.openapi import operations
from serving.openapi.operations import (
    BINARY,
    BYTES,
    COUNT,
    OBJECT,
    TEXT,
    TIMING,
    Json,
    body,
    get,
    json,
    parameter,
    post,
)
from serving.service import Service
from serving.settings import Settings
from serving.v2 import messages as v2
from serving.version import inkling_version

DESCRIPTION = """Reads handwritten digits from pictures: which digit it is, how sure that is, and whether it is one.

Every error is JSON with a text, `{"error": "..."}`."""

TAGS = {
    "Predict": "Reads pictures and drawings.",
    "Open Inference Protocol": "The model's tensors, for clients of Triton and KServe. The addresses of the model also "
    f"exist with its version, such as `/v2/models/{MODEL_NAME}/versions/VERSION/infer`.",
    "Model repository": "Which model is served. Load and unload need the token, or --local-management.",
    "Health": "For orchestrators and load balancers.",
    "Observe": "Metrics and statistics.",
}
PREDICT, PROTOCOL, MODELS, HEALTH, OBSERVE = TAGS

MODEL_PATH = f"/v2/models/{MODEL_NAME}"
LOAD_PATH = f"/v2/repository/models/{MODEL_NAME}"
JSON_LENGTH = "Inference-Header-Content-Length"

# A 7 on 3 x 5 pixels.
WIDTH, HEIGHT, PIXELS = 3, 5, bytes.fromhex("000000 ffff00 ffff00 ff00ff ff00ff")


async def openapi(request: Request) -> Response:
    """Return the document."""
    return JSONResponse(document(Service.of(request).settings))


@lru_cache(maxsize=1)
def document(settings: Settings) -> Json:
    """Return the document of all routes but those of the page, with the limits of the settings."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Inkling",
            "version": inkling_version(),
            "description": f"{DESCRIPTION}\n\n{operations.error_list()}",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": {
            "/api/predict": _predict(settings),
            "/api/network": _network(),
            "/api/drawings": _drawings(),
            "/api/model": get(PREDICT, "model", "The model's metadata", json(api.CardAnswer)),
            "/v2": get(PROTOCOL, "server", "The server and its extensions", json(v2.ServerMetadata)),
            MODEL_PATH: get(PROTOCOL, "metadata", "Inputs and outputs of the model", json(v2.ModelMetadata)),
            f"{MODEL_PATH}/infer": _infer(),
            f"{MODEL_PATH}/config": get(PROTOCOL, "config", "Triton's `ModelConfig` of the model", json(OBJECT)),
            "/v2/repository/index": post(MODELS, "index", "List the models", json(list[v2.IndexEntry])),
            f"{LOAD_PATH}/load": _change("load", "Load the model's file again, and switch to it"),
            f"{LOAD_PATH}/unload": _change("unload", "Unload the model"),
            "/v2/health/live": get(HEALTH, "live", "Does the process answer?", json(v2.Live)),
            "/v2/health/ready": _ready("ready", "Are predictions answered?"),
            f"{MODEL_PATH}/ready": _ready("readyModel", "Is the model ready?"),
            "/metrics": get(OBSERVE, "metrics", "Prometheus metrics", {"text/plain": {"schema": TEXT}}),
            "/v2/models/stats": get(OBSERVE, "statsAll", "Statistics of all models", json(v2.Statistics)),
            f"{MODEL_PATH}/stats": get(OBSERVE, "stats", "Statistics of the model", json(v2.Statistics)),
        },
        "components": {
            "schemas": operations.schemas(api, v2, responses),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _predict(settings: Settings) -> Json:
    picture = io.BytesIO()
    Image.frombytes("L", (WIDTH, HEIGHT), PIXELS).save(picture, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}"
    side = {"type": "integer", "minimum": 1, "maximum": MAX_SIDE_PX}
    files: Json = {f"image/{name.lower()}": {"schema": BINARY} for name in FORMATS}
    files["multipart/form-data"] = {"schema": {**OBJECT, "properties": {"image": BINARY}, "required": ["image"]}}
    return post(
        PREDICT, "predict", "Read a digit", json(api.DigitAnswer, api.FullAnswer),
        description=f"The body is a picture ({FORMATS_TEXT}), a form or JSON with one, or raw grey bytes, row by row, "
        f"with `width` and `height`; {N_GRID_BYTES} bytes without them are 28 x 28. Dark on light or light on dark. "
        "The body, unless it is a form, may be compressed (gzip, deflate). "
        f"At most {settings.max_body_bytes:,} bytes and {settings.max_pixels:,} pixels.",
        parameters=[
            parameter("query", "width", side, "Of raw grey bytes, in pixels.", example=WIDTH),
            parameter("query", "height", side, "Of raw grey bytes, in pixels.", example=HEIGHT),
            parameter("query", "detail", {**TEXT, "enum": ["full"]}, "Adds the box and the network's input."),
        ],
        requestBody=body(files, json(api.Picture, example={"image": url}), BYTES),
    )  # fmt: skip


def _network() -> Json:
    return post(
        PREDICT, "network", "Run only the network", json(api.NetworkAnswer),
        description=f"The body has 1 to {MAX_GRIDS} grids like `normalized` of an answer, {N_GRID_BYTES} bytes each.",
        parameters=[parameter("query", "layers", {"type": "boolean"}, "Adds feature maps.", example=True)],
        requestBody=body(BYTES),
    )  # fmt: skip


def _drawings() -> Json:
    item = post(
        PREDICT, "keepDrawing", "Store a drawing and its digit", json(api.KeptDrawing), status=201,
        description="Only if the service runs with `--collect`. "
        f"At most {drawings.MAX_BYTES:,} bytes, {drawings.MAX_POINTS:,} points and {drawings.MAX_DRAWINGS:,} drawings.",
        requestBody=body(json(api.LabelledDrawing, example=drawings.EXAMPLE)),
    )  # fmt: skip
    item["post"]["responses"]["507"] = {"description": "The drawing cannot be stored.", "content": json(Error)}
    return item


def _infer() -> Json:
    tensor = {"name": INPUTS[0].name, "datatype": INPUTS[0].datatype, "shape": [1, HEIGHT, WIDTH], "data": [*PIXELS]}
    outputs = [{"name": "probabilities"}, {"name": "digit_score"}]
    item = post(
        PROTOCOL, "infer", "Run the model on tensors", json(v2.InferResponse) | BYTES,
        description="JSON, or JSON followed by the bytes of the tensor. The body may be compressed (gzip, deflate).",
        parameters=[parameter("header", JSON_LENGTH, COUNT, "Bytes of the JSON, uncompressed.")],
        requestBody=body(json(v2.InferRequest, example={"inputs": [tensor], "outputs": outputs}), BYTES),
    )  # fmt: skip
    length = {JSON_LENGTH: {"schema": COUNT, "description": "Bytes of the JSON."}}
    item["post"]["responses"]["200"]["headers"] = TIMING | length
    return item


def _change(name: str, summary: str) -> Json:
    asked = body(json(v2.LoadRequest, example={}), required=False)
    return post(MODELS, name, summary, {}, requestBody=asked, security=[{}, {"token": []}])


def _ready(name: str, summary: str) -> Json:
    item = get(HEALTH, name, summary, json(v2.Ready))
    # If no model is loaded, a model's answer is an error.
    item["get"]["responses"]["503"] = {"description": "Not yet, or no longer.", "content": json(v2.Ready, Error)}
    return item
