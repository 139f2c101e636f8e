"""LitServe: one worker process behind one HTTP process; JSON."""

import sys

import numpy as np
from litserve import LitAPI, LitServer
from network import IS_BATCHING, MAX_BATCH, MAX_WAIT_S, Network


class Digits(LitAPI):
    """Takes ``{"image": [n, h, w]}``."""

    def setup(self, device: str) -> None:
        """Load the model in the worker."""
        self.network = Network()

    def decode_request(self, request: dict) -> np.ndarray:
        """Return the images in a body."""
        return np.array(request["image"], np.uint8)

    def batch(self, inputs: list[np.ndarray]) -> list[np.ndarray]:
        """Return the images of several requests unchanged."""
        return inputs

    def predict(self, images: np.ndarray | list[np.ndarray]) -> dict | list[dict]:
        """Run the model."""
        return self.network.read_batch(images) if IS_BATCHING else self.network.read(images)

    def unbatch(self, output: list[dict]) -> list[dict]:
        """Return the outputs of several requests unchanged."""
        return output

    def encode_response(self, output: dict) -> dict:
        """Return the output unchanged."""
        return output


if __name__ == "__main__":
    api = Digits(max_batch_size=MAX_BATCH, batch_timeout=MAX_WAIT_S) if IS_BATCHING else Digits()
    server = LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(
        "127.0.0.1",
        int(sys.argv[1]),
        num_api_servers=1,
        log_level="error",
        access_log=False,
        generate_client_file=False,
    )
