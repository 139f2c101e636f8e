"""What the operations of the OpenAPI document are made of."""

from typing import Any

from serving.openapi.schemas import Schema, ref, text

ERRORS = {
    400: "The request is malformed; the text says how.",
    403: "The service is not set to do this for the client; the text names the setting.",
    404: "There is no model, or no version of it, of that name; or its file lacks what is asked for.",
    408: "The request did not come in time.",
    413: "The body, or what is in it, is above a limit.",
    415: "The bytes are no picture, or the body is of a type or compressed in a way, that is read here.",
    421: "The Host header names a host that this service does not answer for.",
    422: "The picture is damaged, cut short, or made to take too long.",
    431: "The request's line and headers are above the limit.",
    503: "Not now: no model is loaded, there is too much to do, or the answer would come after the request's timeout.",
    507: "The drawing cannot be stored: there are as many as are kept, or the disk fails.",
}

# Before a request reaches its route.
ERRORS_ANYWHERE = (400, 408, 413, 421, 431, 503)

HTML = {"text/html": {"schema": text()}}
OBJECT: Schema = {"type": "object"}
BINARY: Schema = {"type": "string", "format": "binary"}


def get(tag: str, operation: str, summary: str, content: Schema, *errors: int) -> dict[str, Any]:
    """The item of a path that is only got."""
    answers = responses(content, *errors)
    return {"get": {"tags": [tag], "operationId": operation, "summary": summary, "responses": answers}}


def responses(content: Schema, *errors: int, status: int = 200, headers: Schema | None = None) -> dict[str, Any]:
    """What an operation answers.

    Args:
        content: of its success, by content type; empty where the status says all.
        errors: statuses of its own refusals.
        status: of its success.
        headers: of its success, besides the usual ones.
    """
    timing = {"schema": text(), "description": "What each step took, in milliseconds."}
    success = {"description": "Done.", "headers": {"Server-Timing": timing, **(headers or {})}}
    return {str(status): success | ({"content": content} if content else {})} | {
        str(error): {"$ref": f"#/components/responses/{_error_name(error)}"}
        for error in sorted({*errors, *ERRORS_ANYWHERE})
    }


def error_responses() -> dict[str, Schema]:
    """All that `responses` refers to, by their names."""
    return {_error_name(status): _error(status) for status in ERRORS}


def _error(status: int) -> dict[str, Any]:
    seconds = {"schema": {"type": "integer", "minimum": 0}, "description": "Seconds after which to try again."}
    headers = {"headers": {"Retry-After": seconds}} if status == 503 else {}
    return {"description": ERRORS[status], "content": in_json("Error"), **headers}


def _error_name(status: int) -> str:
    return f"Error{status}"


def in_json(schema: str) -> Schema:
    """The content of a body that is one of `serving.openapi.schemas.schemas`."""
    return {"application/json": {"schema": ref(schema)}}
