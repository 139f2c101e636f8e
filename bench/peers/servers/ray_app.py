"""Ray Serve: one replica behind one proxy. Environment variables set its documented throughput options."""

import signal
import sys

import numpy as np
import ray
from network import Network, grey
from ray import serve
from starlette.requests import Request


@serve.deployment(num_replicas=1, max_ongoing_requests=100, logging_config={"enable_access_log": False})
class Digits:
    """Routes: raw grey levels at /tensor?width=&height=, and a PNG at /png."""

    def __init__(self) -> None:
        self.network = Network()

    async def __call__(self, request: Request) -> dict:
        """Run the model."""
        body = await request.body()
        if request.url.path == "/png":
            return self.network.read(grey(body))
        width, height = int(request.query_params["width"]), int(request.query_params["height"])
        return self.network.read(np.frombuffer(body, np.uint8).reshape(1, height, width))


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    serve.start(
        http_options={"host": "127.0.0.1", "port": int(sys.argv[1])}, logging_config={"enable_access_log": False}
    )
    serve.run(Digits.bind(), route_prefix="/")
    signal.pause()
