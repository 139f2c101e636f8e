"""/v2/*: health, as the Open Inference Protocol has it; who asks looks at the status only."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def live(_: Request) -> Response:
    """200: the process answers."""
    return Response()


async def ready(request: Request) -> Response:
    """200 while predictions are answered, 503 before and after."""
    state = request.app.state
    return Response(status_code=503 if state.shell.is_draining or state.engine.predictor is None else 200)


routes = [Route("/health/live", live), Route("/health/ready", ready)]
