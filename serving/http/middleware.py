"""The outermost layer, around every request: who may ask, what is limited, how errors become answers, what is told of
each. Pure ASGI.
"""

import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from ipaddress import ip_address

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import FailedError, ForbiddenError, TooLargeError, WrongHostError
from serving.http.admission import AdmissionControl
from serving.http.responses import as_refusal, error_response
from serving.http.timing import Timing
from serving.metrics import API_ROUTES, STATUSES, Metrics
from serving.queue.engine import Engine
from serving.settings import Settings

access_log = logging.getLogger("serving.access")

# Everything from our own origin and nothing inline; img-src also lets the page show what was drawn, dropped or pasted.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)

SECURITY_HEADERS = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]

# Answers belong to one request. The page's files may be kept, but are asked for anew: a reload shows what is deployed.
UNCACHED_PATHS = ("/api/", "/v2", "/metrics", "/openapi.json")
UNCACHED = [*SECURITY_HEADERS, (b"cache-control", b"no-store")]
REVALIDATED = [*SECURITY_HEADERS, (b"cache-control", b"no-cache")]

MANAGEMENT_PREFIX = "/v2/repository/models/"

# Routes whose stages are measured.
PREDICTING = ("/api/predict", "/v2/infer")

# Spellings of our own address that are remembered as checked.
MAX_KNOWN_HOSTS = 1000

# Set by a proxy on the same machine, or by a browser: then a loopback address says nothing.
FORWARDED = (b"via", b"forwarded", b"x-forwarded-", b"x-real-ip", b"cf-connecting-ip", b"origin")

# What a page of another origin may read of an answer, besides the body and what every page may.
EXPOSED_HEADERS = ("Server-Timing", "Inference-Header-Content-Length", "Retry-After")

# Endpoints and their path parameters, by method and exact path.
Direct = Mapping[tuple[str, str], tuple[Callable[[Request], Awaitable[Response]], dict[str, str]]]


@lru_cache(maxsize=256)
def route_of(path: str) -> str:
    """The name in the metrics of what is at a path; one of `serving.metrics.ROUTES`."""
    if path in (*API_ROUTES, "/metrics"):
        return path
    if path.startswith("/v2/") and path.endswith("/infer"):
        return "/v2/infer"
    return next((prefix for prefix in ("/v2/health", "/v2") if path.startswith(prefix)), "page")


class Middleware:
    """Wraps the application.

    Attributes:
        is_draining: set when the process is told to end; every answer then asks the client to close the connection.
    """

    def __init__(self, app: Starlette, direct: Direct, settings: Settings, metrics: Metrics, engine: Engine) -> None:
        """Wraps `app`; what is in `direct` does without its router."""
        self.app = app
        self.direct = direct
        self.settings = settings
        self.metrics = metrics
        self.engine = engine
        self.admission = AdmissionControl(settings.max_waiting)
        self.is_draining = False
        self._known_hosts: set[bytes] = set()
        self._answered: ASGIApp = self._answer
        if settings.cors_origins:
            self._answered = CORSMiddleware(
                self._answer,
                allow_origins=settings.cors_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["*"],
                expose_headers=EXPOSED_HEADERS,
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        timing = scope["timing"] = Timing()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope["status"] = message["status"]
                more = UNCACHED if scope["path"].startswith(UNCACHED_PATHS) else REVALIDATED
                message["headers"] = [*message["headers"], *more, (b"server-timing", timing.end().encode())]
                if self.is_draining:
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
        try:
            receive = self._check(scope, receive)
            if found := self.direct.get((scope["method"], scope["path"])):
                endpoint, scope["path_params"] = found
                response = await endpoint(Request(scope, receive))
                await response(scope, receive, send)
            else:
                await self.app.router(scope, receive, send)
        except ClientDisconnect:
            return  # nobody is left to read an answer
        except Exception as error:
            if "status" in scope:  # too late for another
                raise
            refusal = as_refusal(error)
            self.metrics.refused.add(refusal.reason)
            await error_response(refusal)(scope, receive, send)
            if isinstance(refusal, FailedError):
                raise  # to the log

    def _check(self, scope: Scope, receive: Receive) -> Receive:
        """Holds a request's head against the limits; returns `receive` with the body's.

        Raises:
            RequestError: which limit it breaks.
        """
        headers = dict(scope["headers"])
        self._check_host(headers.get(b"host", b""))
        if scope["path"].startswith(MANAGEMENT_PREFIX):
            self._check_rights(scope, headers)
        # The server holds a body to the length that it announces; only one without has to be counted.
        announced = headers.get(b"content-length", b"")
        if not announced.isdigit():
            return self._counted(receive)
        if len(announced) > 18 or int(announced) > self.settings.max_body_bytes:
            raise self._too_large()
        return receive

    def _check_host(self, host: bytes) -> None:
        """Refuses a name that is not ours: a page elsewhere may have its own name lead to this address (rebinding).

        An address, `localhost` and no host at all (HTTP/1.0) cannot be such a name.
        """
        if host in self._known_hosts or not host:
            return
        name = host.decode("latin-1").lower()
        name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
        if not (name in self.settings.allowed_hosts or "*" in self.settings.allowed_hosts or _is_local_name(name)):
            raise WrongHostError(
                "The Host header is neither an address, nor localhost, nor a name that is allowed here. "
                "Start the service with --allowed-hosts to answer for more names."
            )
        if len(self._known_hosts) < MAX_KNOWN_HOSTS:
            self._known_hosts.add(host)

    def _check_rights(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        """Lets only the token's holders manage models; where none is set, only the machine's own programs."""
        if token := self.settings.management_token:
            if not hmac.compare_digest(headers.get(b"authorization", b""), b"Bearer " + token.encode()):
                raise ForbiddenError(
                    "Models are managed with the header Authorization: Bearer and the token that --management-token "
                    "sets."
                )
        elif not _is_loopback(scope.get("client")) or any(name.startswith(FORWARDED) for name in headers):
            raise ForbiddenError(
                "Models are managed from this machine itself, not through a proxy or a browser; --management-token "
                "sets a token for others."
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
            f"The body is too large: at most {self.settings.max_body_bytes} bytes are read. Send a smaller picture."
        )

    def record(self, scope: Scope | None, status: int, timing: Timing) -> None:
        """Counts, and on demand logs, an answer; there is no scope where the request's head was not read."""
        route = route_of(scope["path"]) if scope else "none"
        self.metrics.requests.add(route, str(status) if str(status) in STATUSES else "other")
        if route in PREDICTING and status == 200:
            for stage, seconds in timing.stages:
                self.metrics.stages.observe(seconds, stage)
        elif route in PREDICTING:
            self.metrics.stages.observe(timing.elapsed_s(), "refused")
        if self.settings.log_requests:
            times = {f"{stage}_ms": round(1000 * seconds, 3) for stage, seconds in timing.stages}
            asked = {"method": scope["method"], "path": scope["path"]} if scope else {}
            access_log.info("request", extra={"facts": asked | {"status": status} | times})


def _is_loopback(client: tuple[str, int] | None) -> bool:
    try:
        return client is not None and ip_address(client[0]).is_loopback
    except ValueError:
        return False


def _is_local_name(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
