"""The service described by itself: the OpenAPI 3.1 document at /openapi.json, which the page at /docs shows."""

import base64
import math
from functools import lru_cache
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from serving import __version__
from serving.bodies import LONGEST_RAW_SIDE_PX
from serving.card import GOLDEN_SHAPE, MODEL_NAME
from serving.engine import Engine
from serving.images import FORMATS, FORMATS_TEXT
from serving.schemas import EXAMPLE_HEIGHT, EXAMPLE_WIDTH, SCHEMAS, VERSION_PATTERN, Schema, example_png, ref, text
from serving.settings import Settings

DESCRIPTION = """Reads handwritten digits from pictures: which digit it is, how sure that is, and whether it is one.

Every refusal is JSON with the text of what is wrong, `{"error": "..."}`, also where there is nothing at an address \
(404) and where an address does not take a method (405, with `Allow`)."""

TAGS = {
    "Predict": "A picture in, its digit out.",
    "Open Inference Protocol": "The model's tensors as they are, for clients of Triton and KServe.",
    "Model repository": "Which model is served. Load and unload need the token; where none is set, this machine.",
    "Health": "For who starts, stops and balances. Look at the status only.",
    "Observe": "What the service has done.",
    "Pages": "For people.",
}

ERRORS = {
    400: "The request is malformed; the text says how.",
    403: "The token is missing or wrong; or none is set, and the request comes from elsewhere, a proxy or a browser.",
    404: "There is no model, or no version of it, of that name.",
    408: "The request did not come in time.",
    413: "The body, or what is in it, is above a limit.",
    415: "The bytes are no picture that is read here, or the body is compressed in a way that is not.",
    421: "The Host header names a host that this service does not answer for.",
    422: "The picture is damaged, cut short, or made to take too long.",
    431: "The request's line and headers are above the limit.",
    503: "Not now: no model is loaded, there is too much to do, or the answer would come after the request's timeout.",
}

# Before a request reaches its route.
ERRORS_ANYWHERE = (400, 408, 413, 421, 431, 503)

SEEN = " x ".join(map(str, GOLDEN_SHAPE))
HTML = {"text/html": {"schema": text()}}
OBJECT: Schema = {"type": "object"}
BINARY: Schema = {"type": "string", "format": "binary"}
JSON_LENGTH = "Inference-Header-Content-Length"


async def openapi(request: Request) -> Response:
    """The document, with the version of the model in use in its examples."""
    engine: Engine = request.app.state.engine
    version = engine.predictor.card.version if engine.predictor else None
    return Response(_encoded(request.app.state.settings, version), media_type="application/json")


async def docs(request: Request) -> Response:
    """The page that shows the document."""
    # By the page's own means: 304 where it is unchanged, 404 where the web folder has no such page.
    return await StaticFiles(directory=request.app.state.settings.web).get_response("docs.html", request.scope)


routes = [Route("/openapi.json", openapi), Route("/docs", docs)]


@lru_cache(maxsize=1)
def _encoded(settings: Settings, version: str | None) -> bytes:
    return orjson.dumps(document(settings, version))


def document(settings: Settings, version: str | None) -> dict[str, Any]:
    """The OpenAPI 3.1 document of every route.

    Args:
        settings: whose limits it tells.
        version: of the model in use, for examples; None where none is loaded.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Inkling",
            "version": __version__,
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": {
            "/api/predict": {"post": _predict(settings)},
            "/api/model": _get("Predict", "model", "The model's card", _json("ModelCard")),
            **_protocol(),
            **_repository(),
            **_health(),
            "/metrics": _get("Observe", "metrics", "Prometheus metrics", {"text/plain": {"schema": text()}}),
            "/": _get("Pages", "page", "The page to draw on", HTML),
            "/docs": _get("Pages", "docs", "This document as a page", HTML),
            "/openapi.json": _get("Pages", "openapi", "This document", {"application/json": {"schema": OBJECT}}),
        },
        "components": {
            "schemas": SCHEMAS,
            "responses": {_error_name(status): _error(status) for status in ERRORS},
            "parameters": {"model": _model(), "version": _version(version)},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "For other machines."}},
        },
    }


def _predict(settings: Settings) -> dict[str, Any]:
    side = {"type": "integer", "minimum": 1, "maximum": LONGEST_RAW_SIDE_PX}
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
        "responses": _responses(_json("Answer"), 415, 422),
    }


def _protocol() -> dict[str, Any]:
    tag = "Open Inference Protocol"
    paths = {
        "/v2": _get(tag, "server", "The server and its extensions", _json("ServerMetadata")),
        "/v2/models/stats": _get("Observe", "statsAll", "Statistics of all models", _json("Statistics")),
    }
    model, version = ({"$ref": f"#/components/parameters/{name}"} for name in ("model", "version"))
    for path, suffix, of, parameters in (
        ("/v2/models/{model}", "", "the model", [model]),
        ("/v2/models/{model}/versions/{version}", "Version", "a version", [model, version]),
    ):
        of_model = {
            "": _get(tag, f"metadata{suffix}", f"Inputs and outputs of {of}", _json("ModelMetadata"), 404),
            "/infer": {"post": _infer(f"infer{suffix}", of)},
            "/config": _get(tag, f"config{suffix}", f"Configuration of {of}", _json("ModelConfig"), 404),
            "/ready": _ready(_get("Health", f"ready{suffix or 'Model'}", f"Is {of} ready?", {}, 404)),
            "/stats": _get("Observe", f"stats{suffix}", f"Statistics of {of}", _json("Statistics"), 404),
        }
        paths |= {path + end: {"parameters": parameters, **item} for end, item in of_model.items()}
    return paths


def _infer(operation: str, of: str) -> dict[str, Any]:
    n_bytes = {"type": "integer", "minimum": 0}
    return {
        "tags": ["Open Inference Protocol"],
        "operationId": operation,
        "summary": f"Run {of} on tensors",
        "description": "JSON, or JSON followed by the tensors' bytes: little-endian, in the order of the inputs. "
        "The bytes of the tensor alone are one image. The body may be compressed (gzip, deflate).",
        "parameters": [
            {"name": JSON_LENGTH, "in": "header", "schema": n_bytes, "example": 0}
            | {"description": "How many bytes of the body, unpacked, are JSON; the rest are tensors. 0: no JSON."},
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": ref("InferRequest"),
                    "example": SCHEMAS["InferRequest"]["examples"][0],
                },
                "application/octet-stream": {"schema": BINARY},
            },
        },
        "responses": _responses(
            _json("InferResponse") | {"application/octet-stream": {"schema": BINARY}},
            404,
            415,
            **{JSON_LENGTH: {"schema": n_bytes, "description": "Of a binary answer: how many bytes of it are JSON."}},
        ),
    }


def _repository() -> dict[str, Any]:
    index = _change("index", "What there is", _json("RepositoryIndex"))
    paths: dict[str, Any] = {"/v2/repository/index": {"post": index}}
    for name, summary in (("load", "Read the model's file anew and swap"), ("unload", "Stop serving the model")):
        paths[f"/v2/repository/models/{{model}}/{name}"] = {
            "parameters": [{"$ref": "#/components/parameters/model"}],
            "post": _change(name, summary, {}, 403, 404) | {"security": [{}, {"token": []}]},
        }
    return paths


def _change(operation: str, summary: str, content: Schema, *errors: int) -> dict[str, Any]:
    return {
        "tags": ["Model repository"],
        "operationId": operation,
        "summary": summary,
        "requestBody": {"content": {"application/json": {"schema": OBJECT, "example": {}}}},
        "responses": _responses(content, *errors),
    }


def _health() -> dict[str, Any]:
    return {
        "/v2/health/live": _get("Health", "live", "Does the process answer?", {}),
        "/v2/health/ready": _ready(_get("Health", "ready", "Are predictions answered?", {})),
    }


def _ready(item: dict[str, Any]) -> dict[str, Any]:
    """Of these, the status alone says whether."""
    item["get"]["responses"]["503"] = {"description": "Not yet, or no longer."}
    return item


def _get(tag: str, operation: str, summary: str, content: Schema, *errors: int) -> dict[str, Any]:
    responses = _responses(content, *errors)
    return {"get": {"tags": [tag], "operationId": operation, "summary": summary, "responses": responses}}


def _responses(content: Schema, *errors: int, **headers: Schema) -> dict[str, Any]:
    timing = {"schema": text(), "description": "What each step took, in milliseconds."}
    success = {"description": "Done.", "headers": {"Server-Timing": timing, **headers}}
    return {"200": success | ({"content": content} if content else {})} | {
        str(status): {"$ref": f"#/components/responses/{_error_name(status)}"}
        for status in sorted({*errors, *ERRORS_ANYWHERE})
    }


def _error(status: int) -> dict[str, Any]:
    seconds = {"schema": {"type": "integer", "minimum": 0}, "description": "Seconds after which to try again."}
    headers = {"headers": {"Retry-After": seconds}} if status == 503 else {}
    return {"description": ERRORS[status], "content": _json("Error"), **headers}


def _error_name(status: int) -> str:
    return f"Error{status}"


def _json(schema: str) -> Schema:
    return {"application/json": {"schema": ref(schema)}}


def _model() -> dict[str, Any]:
    return {"name": "model", "in": "path", "required": True, "schema": text(enum=[MODEL_NAME]), "example": MODEL_NAME}


def _version(version: str | None) -> dict[str, Any]:
    example = {} if version is None else {"example": version}
    return {"name": "version", "in": "path", "required": True, "schema": text(pattern=VERSION_PATTERN), **example}
