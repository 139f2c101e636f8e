"""KServe's model server: one worker, no gRPC, no latency log."""

import base64
import logging
import sys

from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from network import OUTPUTS, Network, grey


class Digits(Model):
    """Takes one V2 input: UINT8 ``[n, h, w]``, or BYTES with a PNG in base64."""

    def __init__(self) -> None:
        super().__init__("digits")
        self.network = Network()
        self.ready = True

    async def predict(self, payload: InferRequest, headers: dict | None = None) -> InferResponse:
        """Run the model."""
        tensor = payload.inputs[0]
        # KServe accepts only UTF-8 as BYTES of the binary extension, so the PNG comes in base64.
        images = grey(base64.b64decode(tensor.data[0])) if tensor.datatype == "BYTES" else tensor.as_numpy()
        outputs = []
        for name, values in zip(OUTPUTS, self.network.run(images), strict=True):
            outputs.append(InferOutput(name, list(values.shape), "FP32"))
            outputs[-1].set_data_from_numpy(values, binary_data=bool(payload.use_binary_outputs))
        return InferResponse(payload.id, "digits", outputs, use_binary_outputs=payload.use_binary_outputs)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    ModelServer(http_port=int(sys.argv[1]), workers=1, enable_grpc=False, enable_latency_logging=False).start(
        [Digits()]
    )
