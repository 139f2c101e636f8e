"""The application: its parts, its routes, and how errors become answers."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from serving import api, openapi, v2
from serving.engine import Engine
from serving.errors import RequestError, StartError
from serving.lifecycle import Lifecycle
from serving.metrics import Metrics, fact
from serving.responses import JSONResponse
from serving.settings import Settings
from serving.shadow import Shadow
from serving.shell import Shell


def create_app(settings: Settings, metrics: Metrics | None = None, shadow: Shadow | None = None) -> Shell:
    """The service, its model loaded and checked.

    Args:
        settings: of the service.
        metrics: to count in; by default its own.
        shadow: the second model, if there is one.

    Raises:
        ModelError: the model file is missing, damaged or another model.
        StartError: the web folder is missing.
    """
    if not settings.web.is_dir():
        raise StartError(f"The web folder {settings.web} does not exist. Name the page's folder with --web.")
    metrics = metrics or Metrics()
    engine = Engine()
    lifecycle = Lifecycle(settings.model, engine, metrics)
    lifecycle.start()
    engine.observers.append(metrics.count_run)
    if shadow:
        engine.observers.append(shadow.observe)
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=["Server-Timing"],
    )
    app = Starlette(
        # Each part is a mount: a plain route would leave its wrong methods to the page's mount, which says 404.
        routes=[
            Mount("/api", routes=api.routes),
            Route("/v2", v2.ServerMetadata),  # without a redirect, which not every client follows
            Mount("/v2", routes=v2.routes),
            Route("/metrics", read_metrics, methods=["GET"]),
            *openapi.routes,
            Mount("/", app=Page(directory=settings.web, html=True)),
        ],
        middleware=[cors] if settings.cors_origins else [],
        exception_handlers={
            RequestError: _refused,
            HTTPException: _http_error,
            ClientDisconnect: _gone,
            Exception: _failed,
        },
    )
    app.state.settings = settings
    app.state.metrics = metrics
    app.state.engine = engine
    app.state.lifecycle = lifecycle
    app.state.shadow = shadow
    app.state.shell = shell = Shell(app, settings, metrics, engine)
    return shell


class Page(StaticFiles):
    """The page's files, each as a whole: what Starlette says of a Range that it cannot give is not JSON."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as if no Range had been asked for."""
        headers = [header for header in scope["headers"] if header[0] != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)


async def read_metrics(request: Request) -> Response:
    """What the service has counted, as Prometheus reads it."""
    metrics: Metrics = request.app.state.metrics
    engine: Engine = request.app.state.engine
    shadow: Shadow | None = request.app.state.shadow
    metrics.measure_process()
    facts = []
    if engine.predictor:
        card = engine.predictor.card
        facts += fact("inkling_model_info", "The model in use.", version=card.version, sha256=card.sha256)
    if shadow and shadow.is_alive:
        facts += fact("inkling_shadow_model_info", "The shadow model.", version=shadow.version)
    return PlainTextResponse(metrics.text(facts), media_type="text/plain; version=0.0.4")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    shell: Shell = request.app.state.shell
    return shell.refusal(error)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    text, reason = error.detail, "bad_request"
    if error.status_code == 404:
        text, reason = (
            "There is nothing at this address. The page is at /, and what the service can do at /docs.",
            "not_found",
        )
    elif error.status_code == 405:
        text = f"This address does not take that method, only {(error.headers or {}).get('Allow', 'others')}."
        reason = "method"
    request.app.state.metrics.refused.add(reason)
    return JSONResponse({"error": text}, error.status_code, error.headers)


async def _gone(_: Request, __: Exception) -> Response:
    # Nobody is left to read this; handled, so that an impatient client leaves no traceback in the log.
    return JSONResponse({"error": "The connection was closed before the body was complete."}, 400)


async def _failed(request: Request, _: Exception) -> Response:
    request.app.state.metrics.refused.add("failed")
    text = "The service failed on this request; the reason is in its log. Please report it."
    return JSONResponse({"error": text}, 500)
