"""Middleware, pure ASGI: the limit on request bodies, and the headers that limit what a browser may do."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import TooLargeError

# Everything from our own origin and nothing inline; img-src also lets the page show what was drawn, dropped or pasted.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}

# Answers belong to one request. The page's files may be kept, but are asked for anew: a reload shows what is deployed.
UNCACHED_PATHS = ("/api/", "/v2/")


class BodyLimit:
    """Refuses a body above the limit: at once where Content-Length announces it, else as soon as it is reached.

    Starlette's own limit answers in plain text. This one raises where the body is awaited, inside the application,
    whose handler answers in JSON; a client that sends `Expect: 100-continue` then never sends the body.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        """Wraps `app`."""
        self.app = app
        self.max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, its body under watch."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        n_bytes = 0

        async def limited_receive() -> Message:
            nonlocal n_bytes
            if announced.isdigit() and int(announced[:20]) > self.max_body_bytes:
                raise self._too_large()
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > self.max_body_bytes:
                raise self._too_large()
            return message

        await self.app(scope, limited_receive, send)

    def _too_large(self) -> TooLargeError:
        return TooLargeError(
            f"The body is too large: at most {self.max_body_bytes} bytes are read. Send a smaller picture."
        )


class SecurityHeaders:
    """Adds the security headers to every answer, and how it may be cached."""

    def __init__(self, app: ASGIApp) -> None:
        """Wraps `app`."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, and adds to the head of the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                is_uncached = scope["path"].startswith(UNCACHED_PATHS)
                headers.setdefault("cache-control", "no-store" if is_uncached else "no-cache")
            await send(message)

        await self.app(scope, receive, send_with_headers)
