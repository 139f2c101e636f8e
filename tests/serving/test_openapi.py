"""The OpenAPI document is valid and complete, and the service conforms to it."""

import json
from collections.abc import Iterable
from typing import Any

import jsonschema_rs
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck
from hypothesis import settings as bounded
from schemathesis import Case
from schemathesis.specs.openapi import checks
from starlette.routing import BaseRoute, Mount, Route
from starlette.testclient import TestClient

from serving.http.middleware import Middleware
from serving.model.card import MODEL_NAME
from serving.openapi import document
from serving.settings import Settings
from tests.serving.under_load.process import Running

pytest_plugins = ["schemathesis.pytest.plugin"]

METHODS = ("get", "post")
DIALECT = "https://json-schema.org/draft/2020-12/schema"

# A 500 is not a documented status.
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
]
BOUNDS: dict[str, Any] = {
    "database": None,
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": [HealthCheck.filter_too_much, HealthCheck.too_slow],
}


@pytest.fixture(scope="session")
def openapi(client: TestClient) -> dict[str, Any]:
    response = client.get("/openapi.json")
    assert response.headers["content-type"] == "application/json"
    answer: dict[str, Any] = response.json()
    return answer


def operations(openapi: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(path, item[method]) for path, item in openapi["paths"].items() for method in METHODS if method in item]


def routes(parts: Iterable[BaseRoute], prefix: str = "") -> set[tuple[str, str]]:
    """Return method and path of every route of the API. The addresses with a version are not in the document."""
    found: set[tuple[str, str]] = set()
    for part in parts:
        if isinstance(part, Mount) and part.routes:
            found |= routes(part.routes, prefix + part.path)
        elif isinstance(part, Route) and "{version}" not in part.path:
            path = (prefix + part.path).replace("{model}", MODEL_NAME)
            found |= {(method.lower(), path) for method in (part.methods or METHODS[:1]) if method != "HEAD"}
    return found


def test_the_document_is_valid(openapi: dict[str, Any]) -> None:
    schemathesis.openapi.from_dict(openapi).validate()
    for schema in openapi["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema | {"$schema": DIALECT})
    identifiers = [operation["operationId"] for _, operation in operations(openapi)]
    assert len(set(identifiers)) == len(identifiers)
    tags = [tag["name"] for tag in openapi["tags"]]
    assert all(operation["tags"][0] in tags for _, operation in operations(openapi))


def test_the_document_has_exactly_the_routes(openapi: dict[str, Any], app: Middleware) -> None:
    described = {(method, path) for path, item in openapi["paths"].items() for method in METHODS if method in item}
    pages = {("get", path) for path in ("/docs", "/docs/", "/openapi.json")}
    assert described == routes(app.app.routes) - pages


def test_the_examples_are_answered(client: TestClient, openapi: dict[str, Any]) -> None:
    for path in ("/api/predict", f"/v2/models/{MODEL_NAME}/infer"):
        content = openapi["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        schema = content["schema"] | {"components": openapi["components"]}
        jsonschema_rs.Draft202012Validator(schema).validate(content["example"])
        response = client.post(path, json=content["example"])
        assert response.status_code == 200, response.text


def test_the_document_has_the_limits() -> None:
    described = json.dumps(document(Settings(max_body_bytes=1234, max_pixels=56)))
    assert "1,234 bytes" in described
    assert "56 pixels" in described


SESSION = requests.Session()  # one connection for all requests

# The only image type that Schemathesis does not know.
schemathesis.serializer.alias("image/bmp", "application/octet-stream")

# Tests are collected before the service starts: the document comes from the code. After unload, the rest would be 503.
described = schemathesis.openapi.from_dict(document(Settings())).exclude(operation_id="unload")


@pytest.mark.workflow
@described.parametrize()
@bounded(max_examples=10, **BOUNDS)
def test_the_service_answers_as_documented(case: Case, service: Running) -> None:
    case.call_and_validate(f"http://{service.host}", SESSION, checks=CHECKS)
