"""Ray Serve: one replica behind one proxy. Environment variables set its documented throughput options."""

import signal
import sys

import numpy as np
import ray
from network import IS_BATCHING, MAX_BATCH, MAX_WAIT_S, Network, grey
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
        images = np.frombuffer(body, np.uint8).reshape(1, height, width)
        return await self.read_batch(images) if IS_BATCHING else self.network.read(images)

    @serve.batch(max_batch_size=MAX_BATCH, batch_wait_timeout_s=MAX_WAIT_S)
    async def read_batch(self, requests: list[np.ndarray]) -> list[dict]:
        """Run the model once for several requests."""
        return self.network.read_batch(requests)


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    serve.start(
        http_options={"host": "127.0.0.1", "port": int(sys.argv[1])}, logging_config={"enable_access_log": False}
    )
    serve.run(Digits.bind(), route_prefix="/")
    signal.pause()
