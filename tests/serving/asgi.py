"""Send raw ASGI requests: an HTTP client would normalize the address and read ahead in the body."""

from collections.abc import Iterable, Mapping
from urllib.parse import unquote

import anyio
import httpx2
from starlette.types import ASGIApp, Message


def exchange(
    app: ASGIApp, method: str, target: str, headers: Mapping[str, str] | None = None, chunks: Iterable[bytes] = ()
) -> tuple[int, bytes]:
    """Return status and body of the answer; the next chunk is taken only when the application asks for it."""
    body = iter(chunks)
    is_complete = False
    sent: list[Message] = []

    async def receive() -> Message:
        nonlocal is_complete
        if is_complete:  # this client does not disconnect
            await anyio.sleep_forever()
        chunk = next(body, None)
        is_complete = chunk is None
        return {"type": "http.request", "body": chunk or b"", "more_body": not is_complete}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "scheme": "http",
        "server": ("testserver", 80),
        "method": method,
        "path": unquote(target),
        "raw_path": target.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
    }
    anyio.run(app, scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def refused(response: httpx2.Response, status: int, *words: str) -> None:
    """Assert that a response is an error with this status, whose text has these words."""
    assert response.status_code == status, response.text
    assert list(response.json()) == ["error"]
    assert all(word in response.json()["error"] for word in words), response.text
