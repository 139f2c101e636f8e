"""The application and its routes."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, Router

from serving import openapi
from serving.api import drawings, network, number, predict
from serving.api.page import Page
from serving.errors import StartError
from serving.http.middleware import Middleware
from serving.metrics import Metrics, fixed_gauge
from serving.queue.engine import Engine
from serving.reload.lifecycle import Lifecycle
from serving.reload.shadow import Shadow
from serving.reload.shared import SharedModel
from serving.service import Service
from serving.settings import Settings
from serving.signature import load_key
from serving.v2 import routes

# Figures in the model's card. deploy/prometheus/alerts.yaml compares those of the requests with them.
REFERENCES = {
    "estimated_accuracy": "Mean confidence in the digits of the test images.",
    "share_called_digit": "Share of the test images with ink that the model reads as a digit, sure or unsure.",
}

API = (predict, number, network, drawings)


def create_app(
    settings: Settings, metrics: Metrics | None = None, shadow: Shadow | None = None, shared: SharedModel | None = None
) -> Middleware:
    """Create the service, and load and check its model. Several workers share `metrics` and the `shared` model.

    Raises:
        StartError: the model file or a folder cannot be used.
    """
    if not settings.web.is_dir():
        raise StartError(f"The web folder {settings.web} does not exist. Name the folder of the page with --web.")
    if settings.collect:
        drawings.prepare(settings.collect)
    metrics = metrics or Metrics()
    engine = Engine()
    lifecycle = Lifecycle(settings.model, engine, metrics, shared, load_key(settings.public_key))
    lifecycle.start()
    engine.observers.append(metrics.count_run)
    if shadow:
        engine.observers.append(shadow.observe)
    page = Page(directory=settings.web, html=True)
    app = Starlette(
        # Each part is a mount. A plain route would leave a wrong method to the page's mount, which answers 404.
        routes=[
            # No redirects: their address would come from the Host header.
            Mount("/api", app=Router([route for part in API for route in part.routes], redirect_slashes=False)),
            Route("/v2", routes.server_metadata),
            Mount("/v2", app=Router(routes.routes, redirect_slashes=False)),
            Route("/metrics", read_metrics, methods=["GET"]),
            Route("/openapi.json", openapi.openapi),
            Route("/docs", page.docs),
            # The addresses in the page are relative, so it cannot be served here, too.
            Route("/docs/", RedirectResponse("../docs")),
            Mount("/", app=page),
        ]
    )
    app.router.redirect_slashes = False
    # Only the middleware gives a response the headers for a page of another origin.
    quick = {} if settings.cors_origins else {("POST", "/api/predict"): predict.predict_quickly}
    return Middleware(app, quick, Service(settings, metrics, engine, lifecycle, shadow))


async def read_metrics(request: Request) -> Response:
    """Return the Prometheus metrics."""
    service = Service.of(request)
    service.metrics.measure_process()
    facts, n_classes = [], 0
    if service.engine.predictor:
        card = service.engine.predictor.card
        n_classes = len(card.classes)
        facts += fixed_gauge("inkling_model_info", "The model in use.", version=card.version, sha256=card.sha256)
        for key, about in REFERENCES.items():
            if isinstance(number := (card.metrics or {}).get(key), float) and 0 <= number <= 1:
                facts += fixed_gauge(f"inkling_reference_{key}", about, number)
    if service.shadow and not service.shadow.is_gone:
        facts += fixed_gauge("inkling_shadow_model_info", "The shadow model.", version=service.shadow.version)
    return PlainTextResponse(service.metrics.text(facts, n_classes), media_type="text/plain; version=0.0.4")
