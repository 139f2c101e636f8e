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
COUNT: Json = {"type": "integer", "minimum": 0}
BINARY: Json = {"type": "string", "format": "binary"}
BYTES: Json = {"application/octet-stream": {"schema": BINARY}}


def _schemas(messages: list[Any]) -> tuple[tuple[Json, ...], Json]:
    return msgspec.json.schema_components(messages, ref_template="#/components/schemas/{name}")


def json(*messages: Any, **example: Any) -> Json:
    """Return the content of a JSON body, which is one of these messages or schemas."""
    found = [message if isinstance(message, dict) else _schemas([message])[0][0] for message in messages]
    return {"application/json": {"schema": found[0] if len(found) == 1 else {"anyOf": found}, **example}}


def body(*contents: Json, required: bool = True) -> Json:
    """Return the request body of an operation, which has one of these content types."""
    return {"required": required, "content": {name: schema for content in contents for name, schema in content.items()}}


def parameter(place: str, name: str, schema: Json, description: str, **example: Any) -> Json:
    """Return a parameter in the query or the headers."""
    return {"name": name, "in": place, "schema": schema, "description": description, **example}


TIMING: Json = {"Server-Timing": {"schema": TEXT, "description": "Milliseconds of each stage."}}
RETRY_AFTER: Json = {"Retry-After": {"schema": COUNT, "description": "Seconds until another attempt."}}
REFUSED: Json = {"description": "The request is refused.", "content": json(Error)}
UNAVAILABLE: Json = {"description": "Not now.", "headers": RETRY_AFTER, "content": json(Error)}


def operation(tag: str, name: str, summary: str, content: Json, *, status: int = 200, **more: Any) -> Json:
    """Return an operation: the content of its success by content type, and its other fields."""
    success = {"description": "Done.", "headers": TIMING} | ({"content": content} if content else {})
    responses = {str(status): success, "4XX": REFUSED, "503": UNAVAILABLE}
    return {"tags": [tag], "operationId": name, "summary": summary, "responses": responses, **more}


def get(*arguments: Any) -> Json:
    """Return the item of a path with only GET."""
    return {"get": operation(*arguments)}


def post(*arguments: Any, **more: Any) -> Json:
    """Return the item of a path with only POST."""
    return {"post": operation(*arguments, **more)}


def error_list() -> str:
    """Return the statuses of all errors, each with the docstring of its error."""
    kinds = sorted(RequestError.kinds, key=lambda kind: kind.status)
    return " ".join(f"`{kind.status}`: {kind.__doc__}" for kind in kinds)


def schemas(*modules: ModuleType) -> Json:
    """Return the schemas of the messages in these modules, by their names."""
    found = [kind for module in modules for kind in vars(module).values() if isinstance(kind, type)]
    names = {module.__name__ for module in modules}
    own = [kind for kind in found if kind.__module__ in names and issubclass(kind, msgspec.Struct | ModelCard)]
    return _schemas(own)[1]
