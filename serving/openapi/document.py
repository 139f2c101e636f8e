"""The service described by itself: the OpenAPI 3.1 document at /openapi.json, which the page at /docs shows."""

from functools import lru_cache
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from serving.api.page import Page
from serving.model.card import MODEL_NAME
from serving.openapi.api_operations import ask_network, keep_drawing, predict
from serving.openapi.operations import BINARY, HTML, OBJECT, error_responses, get, in_json, responses
from serving.openapi.schemas import VERSION_PATTERN, Schema, infer_request, ref, schemas, text
from serving.queue.engine import Engine
from serving.settings import Settings
from serving.version import inkling_version

DESCRIPTION = """Reads handwritten digits from pictures: which digit it is, how sure that is, and whether it is one.

Every refusal is JSON with the text of what is wrong, `{"error": "..."}`, also where there is nothing at an address \
(404) and where an address does not take a method (405, with `Allow`)."""

TAGS = {
    "Predict": "A picture in, its digit out; and what the page asks besides.",
    "Open Inference Protocol": "The model's tensors as they are, for clients of Triton and KServe.",
    "Model repository": "Which model is served. Load and unload need the token, or --local-management.",
    "Health": "For who starts, stops and balances. Look at the status only.",
    "Observe": "What the service has done.",
    "Pages": "For people.",
}

JSON_LENGTH = "Inference-Header-Content-Length"


async def openapi(request: Request) -> Response:
    """The document, with the version of the model in use in its examples."""
    engine: Engine = request.app.state.engine
    card = engine.predictor.card if engine.predictor else None
    described = (card.version, len(card.classes)) if card else (None, None)
    return Response(_encoded(request.app.state.settings, *described), media_type="application/json")


async def docs(request: Request) -> Response:
    """The page that shows the document."""
    # By the page's own means: 304 where it is unchanged, 404 where the web folder has no such page.
    page: Page = request.app.state.page
    return await page.get_response("docs.html", request.scope)


# The addresses in the page are relative, so it cannot be served at /docs/, too.
routes = [Route("/openapi.json", openapi), Route("/docs", docs), Route("/docs/", RedirectResponse("../docs"))]


@lru_cache(maxsize=1)
def _encoded(settings: Settings, version: str | None, n_classes: int | None) -> bytes:
    return orjson.dumps(document(settings, version, n_classes))


def document(settings: Settings, version: str | None, n_classes: int | None) -> dict[str, Any]:
    """The OpenAPI 3.1 document of every route.

    Args:
        settings: whose limits it tells.
        version: of the model in use, for examples; None where none is loaded.
        n_classes: of the model in use; None where none is loaded.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Inkling",
            "version": inkling_version(),
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": {
            "/api/predict": {"post": predict(settings)},
            "/api/network": {"post": ask_network()},
            "/api/drawings": {"post": keep_drawing()},
            "/api/model": get("Predict", "model", "The model's card", in_json("ModelCard")),
            **_protocol(),
            **_repository(),
            **_health(),
            "/metrics": get("Observe", "metrics", "Prometheus metrics", {"text/plain": {"schema": text()}}),
            "/": get("Pages", "page", "The page to draw on", HTML),
            "/docs": get("Pages", "docs", "This document as a page", HTML),
            "/openapi.json": get("Pages", "openapi", "This document", {"application/json": {"schema": OBJECT}}),
        },
        "components": {
            "schemas": schemas(n_classes),
            "responses": error_responses(),
            "parameters": {"model": _model(), "version": _version(version)},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "For other machines."}},
        },
    }


def _protocol() -> dict[str, Any]:
    tag = "Open Inference Protocol"
    paths = {
        "/v2": get(tag, "server", "The server and its extensions", in_json("ServerMetadata")),
        "/v2/models/stats": get("Observe", "statsAll", "Statistics of all models", in_json("Statistics")),
    }
    model, version = ({"$ref": f"#/components/parameters/{name}"} for name in ("model", "version"))
    for path, suffix, of, parameters in (
        ("/v2/models/{model}", "", "the model", [model]),
        ("/v2/models/{model}/versions/{version}", "Version", "a version", [model, version]),
    ):
        of_model = {
            "": get(tag, f"metadata{suffix}", f"Inputs and outputs of {of}", in_json("ModelMetadata"), 404),
            "/infer": {"post": _infer(f"infer{suffix}", of)},
            "/config": get(tag, f"config{suffix}", f"Configuration of {of}", in_json("ModelConfig"), 404),
            "/ready": _ready(get("Health", f"ready{suffix or 'Model'}", f"Is {of} ready?", {}, 404)),
            "/stats": get("Observe", f"stats{suffix}", f"Statistics of {of}", in_json("Statistics"), 404),
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
                    "example": infer_request()["examples"][0],
                },
                "application/octet-stream": {"schema": BINARY},
            },
        },
        "responses": responses(
            in_json("InferResponse") | {"application/octet-stream": {"schema": BINARY}},
            404,
            415,
            headers={
                JSON_LENGTH: {"schema": n_bytes, "description": "Of a binary answer: how many bytes of it are JSON."}
            },
        ),
    }


def _repository() -> dict[str, Any]:
    index = _change("index", "What there is", in_json("RepositoryIndex"))
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
        "responses": responses(content, *errors),
    }


def _health() -> dict[str, Any]:
    return {
        "/v2/health/live": get("Health", "live", "Does the process answer?", {}),
        "/v2/health/ready": _ready(get("Health", "ready", "Are predictions answered?", {})),
    }


def _ready(item: dict[str, Any]) -> dict[str, Any]:
    """Of these, the status alone says whether."""
    item["get"]["responses"]["503"] = {"description": "Not yet, or no longer."}
    return item


def _model() -> dict[str, Any]:
    return {"name": "model", "in": "path", "required": True, "schema": text(enum=[MODEL_NAME]), "example": MODEL_NAME}


def _version(version: str | None) -> dict[str, Any]:
    example = {} if version is None else {"example": version}
    return {"name": "version", "in": "path", "required": True, "schema": text(pattern=VERSION_PATTERN), **example}
