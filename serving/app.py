"""The application: routes, middleware, and how errors become answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from serving import api, v2
from serving.engine import Engine
from serving.errors import RequestError, StartError
from serving.lifecycle import Lifecycle
from serving.limits import SECURITY_HEADERS, BodyLimit, SecurityHeaders
from serving.predictor import Predictor
from serving.settings import Settings
from serving.statistics import ModelStatistics


def create_app(settings: Settings) -> Starlette:
    """The service, its model loaded and warm.

    Raises:
        ModelError: the model file is missing, damaged or another model.
        StartError: the web folder is missing.
    """
    predictor = Predictor.load(settings.model)
    predictor.warm()
    if not settings.web.is_dir():
        raise StartError(f"The web folder {settings.web} does not exist. Name the page's folder with --web.")
    app = Starlette(
        # Each part is a mount: a plain route would leave its wrong methods to the page's mount, which says 404.
        routes=[
            Mount("/api", routes=api.routes(predictor.card)),
            # No redirect: not every client follows it.
            Route("/v2", v2.ServerMetadata),
            Mount("/v2", routes=v2.routes),
            Mount("/", app=StaticFiles(directory=settings.web, html=True)),
        ],
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(BodyLimit, max_body_bytes=settings.max_body_bytes),
        ],
        exception_handlers={
            RequestError: _refused,
            HTTPException: _http_error,
            ClientDisconnect: _gone,
            Exception: _failed,
        },
        lifespan=_lifespan,
    )
    app.state.settings = settings
    app.state.predictor = predictor
    app.state.engine = Engine(predictor)
    app.state.lifecycle = Lifecycle(app.state.engine, settings.model)
    statistics = ModelStatistics()
    app.state.engine.observers.append(statistics.observe)
    app.state.statistics = lambda: statistics
    app.state.large_images = CapacityLimiter(api.N_LARGE_AT_A_TIME)
    app.state.is_ready = False
    return app


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    app.state.is_ready = True
    yield
    app.state.is_ready = False


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return JSONResponse({"error": str(error)}, error.status)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    text = error.detail
    if error.status_code == 404:
        text = "There is nothing at this address. The page is at /, the API at POST /api/predict and GET /api/model."
    elif error.status_code == 405:
        text = f"This address does not take that method, only {(error.headers or {}).get('Allow', 'others')}."
    return JSONResponse({"error": text}, error.status_code, error.headers)


async def _gone(_: Request, __: Exception) -> Response:
    # Nobody is left to read this; handled, so that an impatient client leaves no traceback in the log.
    return JSONResponse({"error": "The connection was closed before the body was complete."}, 400)


async def _failed(_: Request, __: Exception) -> Response:
    # Starlette answers this outside of all middleware, so the headers are added here.
    text = "The service failed on this request; the reason is in its log. Please report it."
    return JSONResponse({"error": text}, 500, {**SECURITY_HEADERS, "cache-control": "no-store"})
