"""The floor: an application that returns a constant, as long as a real answer, to measure only the ASGI server."""

HEAD = [(b"content-type", b"application/json"), (b"content-length", b"1360")]
BODY = b'{"probabilities": [[0, 0, 0, 0, 0, 0, 0, 1, 0, 0]]}'.ljust(1360)


async def app(scope, receive, send) -> None:  # noqa: ANN001, as ASGI has them
    """Return the same answer to every request."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEAD})
    await send({"type": "http.response.body", "body": BODY})
