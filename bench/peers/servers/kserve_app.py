"""KServe's model server: one worker, no gRPC, no latency log."""

import logging
import sys

from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from network import OUTPUTS, Network


class Digits(Model):
    """Takes one V2 input: UINT8 ``[n, h, w]``."""

    def __init__(self) -> None:
        super().__init__("digits")
        self.network = Network()
        self.ready = True

    async def predict(self, payload: InferRequest, headers: dict | None = None) -> InferResponse:
        """Run the model."""
        images = payload.inputs[0].as_numpy()
        outputs = []
        for name, values in zip(OUTPUTS, self.network.run(images), strict=True):
            outputs.append(InferOutput(name, list(values.shape), "FP32"))
            outputs[-1].set_data_from_numpy(values, binary_data=bool(payload.use_binary_outputs))
        # KServe requires an ID in the answer, but none in the request.
        return InferResponse(payload.id or "none", "digits", outputs, use_binary_outputs=payload.use_binary_outputs)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    ModelServer(http_port=int(sys.argv[1]), workers=1, enable_grpc=False, enable_latency_logging=False).start(
        [Digits()]
    )
