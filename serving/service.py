"""The state that the parts of a running service share."""

from dataclasses import dataclass

from starlette.requests import Request

from serving.metrics import Metrics
from serving.queue.engine import Engine
from serving.reload.lifecycle import Lifecycle
from serving.reload.shadow import Shadow
from serving.settings import Settings


@dataclass
class Service:
    """A service, created once in each process.

    Attributes:
        shadow: the shadow model, if there is one.
        is_draining: the process is about to stop, so every response asks the client to close the connection.
    """

    settings: Settings
    metrics: Metrics
    engine: Engine
    lifecycle: Lifecycle
    shadow: Shadow | None
    is_draining: bool = False

    @staticmethod
    def of(request: Request) -> "Service":
        """Return the service that received a request."""
        service: Service = request.scope["service"]
        return service
