"""The OpenAPI 3.1 document at /openapi.json, which the page at /docs shows. Its schemas are the classes of messages."""

import base64
import io
import re
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
from serving.openapi.operations import BINARY, BYTES, OBJECT, TEXT, Json, body, get, json, operation, parameter
from serving.service import Service
from serving.settings import Settings
from serving.v2 import messages as v2
from serving.version import inkling_version

DESCRIPTION = """Reads handwritten digits from pictures: which digit it is, how sure that is, and whether it is one.

Every error is JSON with a text, `{"error": "..."}`, also at an address without a route (404) and for a method that an \
address does not support (405, with `Allow`)."""

TAGS = {
    "Predict": "Reads pictures and drawings.",
    "Open Inference Protocol": "The model's tensors, for clients of Triton and KServe.",
    "Model repository": "Which model is served. Load and unload need the token, or --local-management.",
    "Health": "For orchestrators and load balancers.",
    "Observe": "Metrics and statistics.",
    "Pages": "For people.",
}
PREDICT, PROTOCOL, MODELS, HEALTH, OBSERVE, PAGES = TAGS

HTML: Json = {"text/html": {"schema": TEXT}}
JSON_LENGTH = "Inference-Header-Content-Length"

# A 7 on 3 x 5 pixels.
WIDTH, HEIGHT, PIXELS = 3, 5, bytes.fromhex("000000 ffff00 ffff00 ff00ff ff00ff")


async def openapi(request: Request) -> Response:
    """Return the document, with the version of the model in use in its examples."""
    service = Service.of(request)
    version = service.engine.predictor.card.version if service.engine.predictor else None
    return JSONResponse(document(service.settings, version))


@lru_cache(maxsize=1)
def document(settings: Settings, version: str | None) -> Json:
    """Return the document of all routes, with the limits of the settings and the version of the model in use."""
    paths = _api(settings) | _protocol()
    for path, item in paths.items():
        item["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in re.findall(r"{(\w+)}", path)]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Inkling",
            "version": inkling_version(),
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": operations.schemas(api, v2, responses),
            "responses": operations.error_responses(),
            "parameters": {
                "model": parameter("path", "model", {**TEXT, "enum": [MODEL_NAME]}, "", example=MODEL_NAME),
                "version": parameter("path", "version", TEXT, "", **({"example": version} if version else {})),
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _api(settings: Settings) -> Json:
    picture = io.BytesIO()
    Image.frombytes("L", (WIDTH, HEIGHT), PIXELS).save(picture, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}"
    side = {"type": "integer", "minimum": 1, "maximum": MAX_SIDE_PX}
    files: Json = {f"image/{name.lower()}": {"schema": BINARY} for name in FORMATS}
    files["multipart/form-data"] = {"schema": {**OBJECT, "properties": {"image": BINARY}, "required": ["image"]}}
    predict = operation(
        PREDICT, "predict", "Read a digit", json(api.DigitAnswer, api.FullAnswer), 404, 415, 422,
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
    network = operation(
        PREDICT, "network", "Run only the network", json(api.NetworkAnswer), 404, 415,
        description=f"The body has 1 to {MAX_GRIDS} grids like `normalized` of an answer, {N_GRID_BYTES} bytes each.",
        parameters=[parameter("query", "layers", {"type": "boolean"}, "Adds feature maps.", example=True)],
        requestBody=body(BYTES),
    )  # fmt: skip
    keep = operation(
        PREDICT, "keepDrawing", "Store a drawing and its digit", json(api.KeptDrawing), 403, 415, 507, status=201,
        description="Only if the service runs with `--collect`. "
        f"At most {drawings.MAX_BYTES:,} bytes, {drawings.MAX_POINTS:,} points and {drawings.MAX_DRAWINGS:,} drawings.",
        requestBody=body(json(api.LabelledDrawing, example=drawings.EXAMPLE)),
    )  # fmt: skip
    return {
        "/api/predict": {"post": predict},
        "/api/network": {"post": network},
        "/api/drawings": {"post": keep},
        "/api/model": get(PREDICT, "model", "The model's metadata", json(api.CardAnswer)),
        "/metrics": get(OBSERVE, "metrics", "Prometheus metrics", {"text/plain": {"schema": TEXT}}),
        "/": get(PAGES, "page", "The page to draw on", HTML),
        "/docs": get(PAGES, "docs", "This document as a page", HTML),
        "/openapi.json": get(PAGES, "openapi", "This document", json(OBJECT)),
    }


def _protocol() -> Json:
    paths = {
        "/v2": get(PROTOCOL, "server", "The server and its extensions", json(v2.ServerMetadata)),
        "/v2/models/stats": get(OBSERVE, "statsAll", "Statistics of all models", json(v2.Statistics)),
        "/v2/health/live": get(HEALTH, "live", "Does the process answer?", json(v2.Live)),
        "/v2/health/ready": _ready("ready", "Are predictions answered?"),
    }
    for path, end, of in (
        ("/v2/models/{model}", "", "the model"),
        ("/v2/models/{model}/versions/{version}", "Version", "a version"),
    ):
        paths |= {
            path: get(PROTOCOL, f"metadata{end}", f"Inputs and outputs of {of}", json(v2.ModelMetadata), 404),
            f"{path}/infer": {"post": _infer(f"infer{end}", of)},
            f"{path}/config": get(PROTOCOL, f"config{end}", f"Triton's `ModelConfig` of {of}", json(OBJECT), 404),
            f"{path}/ready": _ready(f"ready{end or 'Model'}", f"Is {of} ready?", 404),
            f"{path}/stats": get(OBSERVE, f"stats{end}", f"Statistics of {of}", json(v2.Statistics), 404),
        }
    asked = body(json(v2.IndexRequest, example={"ready": True}), required=False)
    index = operation(MODELS, "index", "List the models", json(list[v2.IndexEntry]), requestBody=asked)
    paths["/v2/repository/index"] = {"post": index}
    for name, summary in (("load", "Load the model's file again, and switch to it"), ("unload", "Unload the model")):
        asked = body(json(v2.LoadRequest, example={}), required=False)
        change = operation(MODELS, name, summary, {}, 403, 404, requestBody=asked, security=[{}, {"token": []}])
        paths[f"/v2/repository/models/{{model}}/{name}"] = {"post": change}
    return paths


def _infer(name: str, of: str) -> Json:
    tensor = {"name": INPUTS[0].name, "datatype": INPUTS[0].datatype, "shape": [1, HEIGHT, WIDTH], "data": [*PIXELS]}
    outputs = [{"name": "probabilities"}, {"name": "digit_score"}]
    length = {"type": "integer", "minimum": 0}
    run = operation(
        PROTOCOL, name, f"Run {of} on tensors",
        json(v2.InferResponse) | BYTES, 404, 415,
        description="JSON, or JSON followed by the bytes of the tensor. Bytes without JSON are one square image. "
        "The body may be compressed (gzip, deflate).",
        parameters=[parameter("header", JSON_LENGTH, length, "Bytes of the JSON, uncompressed.", example=0)],
        requestBody=body(json(v2.InferRequest, example={"inputs": [tensor], "outputs": outputs}), BYTES),
    )  # fmt: skip
    run["responses"]["200"]["headers"][JSON_LENGTH] = {"schema": length, "description": "Bytes of the JSON."}
    return run


def _ready(name: str, summary: str, *errors: int) -> Json:
    item = get(HEALTH, name, summary, json(v2.Ready), *errors)
    # If no model is loaded, a model's answer is an error.
    item["get"]["responses"]["503"] = {"description": "Not yet, or no longer.", "content": json(v2.Ready, Error)}
    return item
