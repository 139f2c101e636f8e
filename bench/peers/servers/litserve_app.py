"""LitServe: one worker process behind one HTTP process; JSON."""

import base64
import sys

import numpy as np
from litserve import LitAPI, LitServer
from network import Network, grey


class Digits(LitAPI):
    """Takes ``{"image": [n, h, w]}`` or ``{"png": [base64]}``."""

    def setup(self, device: str) -> None:
        """Load the model in the worker."""
        self.network = Network()

    def decode_request(self, request: dict) -> np.ndarray:
        """Return the images in a body."""
        if "png" in request:
            return grey(base64.b64decode(request["png"][0]))
        return np.array(request["image"], np.uint8)

    def predict(self, images: np.ndarray) -> dict:
        """Run the model."""
        return self.network.read(images)

    def encode_response(self, output: dict) -> dict:
        """Return the output unchanged."""
        return output


if __name__ == "__main__":
    server = LitServer(Digits(), accelerator="cpu", workers_per_device=1)
    server.run(
        "127.0.0.1",
        int(sys.argv[1]),
        num_api_servers=1,
        log_level="error",
        access_log=False,
        generate_client_file=False,
    )
