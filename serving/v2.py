"""/v2/*: health, as the Open Inference Protocol has it; who asks looks at the status only."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def live(_: Request) -> Response:
    """200: the process answers."""
    return Response()


async def ready(request: Request) -> Response:
    """200 while predictions are answered, 503 before and after."""
    return Response(status_code=200 if request.app.state.is_ready else 503)


routes = [Route("/health/live", live), Route("/health/ready", ready)]
