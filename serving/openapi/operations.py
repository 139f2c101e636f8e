"""Parts of the OpenAPI document."""

from types import ModuleType
from typing import Any

import msgspec

from serving.errors import RequestError
from serving.http.responses import Error
from serving.model.card import ModelCard

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
OBJECT: Json = {"type": "object"}
BINARY: Json = {"type": "string", "format": "binary"}
BYTES: Json = {"application/octet-stream": {"schema": BINARY}}

# Errors before a request reaches its route.
ERRORS_ANYWHERE = {400, 408, 413, 421, 431, 503}


def operation(tag: str, name: str, summary: str, content: Json, *errors: int, status: int = 200, **more: Any) -> Json:
    """Return an operation: the content of its success by content type, and the statuses of its own errors."""
    timing = {"schema": TEXT, "description": "Milliseconds of each stage."}
    success = {"description": "Done.", "headers": {"Server-Timing": timing}} | ({"content": content} if content else {})
    refused = {str(code): {"$ref": f"#/components/responses/Error{code}"} for code in {*errors, *ERRORS_ANYWHERE}}
    answers = dict(sorted({str(status): success, **refused}.items()))
    return {"tags": [tag], "operationId": name, "summary": summary, "responses": answers, **more}


def body(*contents: Json, required: bool = True) -> Json:
    """Return the request body of an operation, which has one of these content types."""
    return {"required": required, "content": {name: schema for content in contents for name, schema in content.items()}}


def get(*arguments: Any) -> Json:
    """Return the item of a path with only GET."""
    return {"get": operation(*arguments)}


def parameter(place: str, name: str, schema: Json, description: str, **example: Any) -> Json:
    """Return a parameter in the path, the query or the headers."""
    required = place == "path"
    return {"name": name, "in": place, "required": required, "schema": schema, "description": description, **example}


def json(*messages: Any, **example: Any) -> Json:
    """Return the content of a JSON body, which is one of these messages or schemas."""
    found = [message if isinstance(message, dict) else _schemas([message])[0][0] for message in messages]
    return {"application/json": {"schema": found[0] if len(found) == 1 else {"anyOf": found}, **example}}


def error_responses() -> Json:
    """Return a response for each status. The docstrings of the errors describe it."""
    abouts: dict[int, list[str]] = {}
    for error in RequestError.kinds:
        abouts.setdefault(error.status, []).append((error.__doc__ or "").partition("\n")[0])
    found = {
        f"Error{status}": {"description": " ".join(texts), "content": json(Error)} for status, texts in abouts.items()
    }
    seconds = {"schema": {"type": "integer", "minimum": 0}, "description": "Seconds until another attempt."}
    found["Error503"]["headers"] = {"Retry-After": seconds}
    return found


def schemas(*modules: ModuleType) -> Json:
    """Return the schemas of the messages in these modules, by their names."""
    found = [kind for module in modules for kind in vars(module).values() if isinstance(kind, type)]
    names = {module.__name__ for module in modules}
    own = [kind for kind in found if kind.__module__ in names and issubclass(kind, msgspec.Struct | ModelCard)]
    return _schemas(own)[1]


def _schemas(messages: list[Any]) -> tuple[tuple[Json, ...], Json]:
    return msgspec.json.schema_components(messages, ref_template="#/components/schemas/{name}")
