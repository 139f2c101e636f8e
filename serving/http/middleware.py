"""ASGI middleware that wraps every request: host check, limits, error responses, metrics and the access log."""

import hmac
import logging
from collections.abc import Callable, Mapping

import msgspec
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import FailedError, ForbiddenError, TooLargeError
from serving.http.crowd import Crowd
from serving.http.hosts import check_host, host_name, is_loopback
from serving.http.ids import ids_of
from serving.http.responses import as_request_error, error_response
from serving.http.timing import Timing
from serving.metrics import API_ROUTES, STATUSES
from serving.queue.engine import Answer, Images
from serving.service import Service

access_log = logging.getLogger("serving.access")

# Allow only files of the same origin, and nothing inline. img-src also allows drawn, dropped and pasted pictures.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)

# Only this worker of the page runs WebAssembly, and only if the visitor asks for it. It has a policy of its own.
WORKER_PATH = "/js/local/worker.js"
WORKER_POLICY = CONTENT_SECURITY_POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")

SECURITY_HEADERS = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]

# Responses that caches must not store. They may store the page's files, but must revalidate them.
UNCACHED_PATHS = ("/api/", "/v2", "/metrics", "/openapi.json")
UNCACHED = [*SECURITY_HEADERS, (b"cache-control", b"no-store")]
REVALIDATED = [*SECURITY_HEADERS, (b"cache-control", b"no-cache")]
OF_WORKER = [(b"content-security-policy", WORKER_POLICY.encode()), *REVALIDATED[1:]]

MANAGEMENT_PREFIX = "/v2/repository/models/"

# Routes whose stages are measured.
PREDICTING = ("/api/predict", "/v2/infer")

# Routes for monitoring. They are never rejected under overload and accept any host, because a scraper may know the
# service by its address, its name in the cluster or the name of its container.
PROBES = ("/v2/health", "/metrics")

STATUS_LABELS = {int(status): status for status in STATUSES if status.isdigit()}

# Response headers that a page of another origin may read.
EXPOSED_HEADERS = ("Server-Timing", "Inference-Header-Content-Length", "Retry-After")

# The first half of an endpoint without a task: the images in a body, and the function that makes the response's message
# of the answer. None if the body needs a thread.
QuickStart = tuple[Images, Callable[[Answer], msgspec.Struct]]
QuickEndpoint = Callable[[Service, Scope, bytes, Timing], QuickStart | None]


def route_of(path: str) -> str:
    """Return the name of a path in the metrics, one of `serving.metrics.ROUTES`."""
    path = path.rstrip("/")
    if path in (*API_ROUTES, "/metrics", "/v2"):
        return path
    if not path.startswith("/v2/"):
        return "page"
    if path.endswith("/infer"):
        return "/v2/infer"
    return "/v2/health" if path.endswith(("/live", "/ready")) else "/v2"


class Middleware:
    """The outermost ASGI application."""

    def __init__(self, app: Starlette, quick: Mapping[tuple[str, str], QuickEndpoint], service: Service) -> None:
        """Wrap `app`. The connections call the endpoints in `quick`, by method and path, for small bodies."""
        self.app = app
        self.quick = quick
        self.service = service
        self.settings = service.settings
        self.metrics = service.metrics
        self.engine = service.engine
        self.crowd = Crowd()
        self._answered: ASGIApp = self._answer
        if self.settings.cors_origins:
            self._answered = CORSMiddleware(
                self._answer,
                allow_origins=self.settings.cors_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["*"],
                expose_headers=EXPOSED_HEADERS,
                allow_private_network=True,
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        timing = scope["timing"] = Timing()
        if scope["path"].startswith(UNCACHED_PATHS):
            scope["path"] = scope["path"].removesuffix("/")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope["status"] = message["status"]
                page = OF_WORKER if scope["path"] == WORKER_PATH else REVALIDATED
                more = UNCACHED if scope["path"].startswith(UNCACHED_PATHS) else page
                own = (b"server-timing", timing.end().encode())
                message["headers"] = [*message["headers"], *more, own, *ids_of(scope).items()]
                if self.service.is_draining:
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        self.metrics.waiting.add()
        try:
            await self._answered(scope, receive, send_with_headers)
        finally:
            self.metrics.waiting.add(amount=-1)
            if "status" in scope:
                self.record(scope, scope["status"], timing)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self.app
        scope["service"] = self.service
        try:
            await self.app.router(scope, self._check(scope, receive), send)
        except ClientDisconnect:
            return
        except Exception as error:
            if "status" in scope:  # the response has started
                raise
            request_error = as_request_error(error)
            self.metrics.refused.add(request_error.reason)
            await error_response(request_error)(scope, receive, send)
            if isinstance(request_error, FailedError):
                raise  # uvicorn logs it

    def _check(self, scope: Scope, receive: Receive) -> Receive:
        """Check the request head against the limits. Return a `receive` that enforces the body limit.

        Raises:
            RequestError: the request exceeds a limit.
        """
        host = host_name(scope["headers"], scope.get("http_version", ""))
        if route_of(scope["path"]) not in PROBES:
            check_host(host, self.settings.allowed_hosts)
        headers = dict(scope["headers"])
        if scope["path"].startswith(MANAGEMENT_PREFIX):
            self._check_rights(scope, headers)
        # The HTTP parser enforces the Content-Length, so only a body without one must be counted.
        announced = headers.get(b"content-length", b"")
        if not announced.isdigit():
            return self._counted(receive)
        if int(announced) > self.settings.max_body_bytes:
            raise self._too_large()
        return receive

    def _check_rights(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        """Require the management token. Without one, `--local-management` allows programs on this machine."""
        if token := self.settings.management_token:
            if not hmac.compare_digest(headers.get(b"authorization", b""), b"Bearer " + token.encode()):
                raise ForbiddenError(
                    "To manage models, send the header Authorization: Bearer with the token that --management-token "
                    "sets."
                )
        elif not self.settings.local_management:
            raise ForbiddenError(
                "Models cannot be managed over HTTP. Start the service with --management-token, or with "
                "--local-management for programs on the same machine."
            )
        elif b"origin" in headers or not is_loopback((scope.get("client") or [""])[0]):
            raise ForbiddenError(
                "Models can be managed only by programs on the service's machine, and not from a browser. "
                "--management-token sets a token for other clients."
            )

    def _counted(self, receive: Receive) -> Receive:
        n_bytes = 0

        async def counted() -> Message:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > self.settings.max_body_bytes:
                raise self._too_large()
            return message

        return counted

    def _too_large(self) -> TooLargeError:
        return TooLargeError(
            f"The body is too large: the limit is {self.settings.max_body_bytes} bytes. Send a smaller picture."
        )

    def record(self, scope: Scope | None, status: int, timing: Timing) -> None:
        """Count a response, and log it if the settings ask for that. The scope is None if no head was read."""
        route = route_of(scope["path"]) if scope else "none"
        self.metrics.requests.add(route, STATUS_LABELS.get(status, "other"))
        if route in PREDICTING:
            stages = timing.stages if status == 200 else [("refused", timing.elapsed_s())]
            for stage, seconds in stages:
                self.metrics.stages.observe(seconds, stage)
        if self.settings.log_requests:
            times = {f"{stage}_ms": round(1000 * seconds, 3) for stage, seconds in timing.stages}
            asked = {"method": scope["method"], "path": scope["path"]} if scope else {}
            if scope:
                asked["client"] = (scope.get("client") or [""])[0]
                asked |= {name.decode(): value.decode() for name, value in ids_of(scope).items()}
            access_log.info("request", extra={"facts": asked | {"status": status} | timing.facts | times})
