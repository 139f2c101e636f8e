"""MLServer: the model in the server process (no parallel workers), no debug mode, no metrics."""

import asyncio
import socket
import sys

from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from mlserver.utils import install_uvloop_event_loop
from network import IS_BATCHING, MAX_BATCH, MAX_WAIT_S, OUTPUTS, Network


class Digits(MLModel):
    """Takes one V2 input: UINT8 ``[n, h, w]``. With batching, it contains the images of several requests."""

    async def load(self) -> bool:
        """Load the model."""
        self.network = Network()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Run the model."""
        images = NumpyCodec.decode_input(payload.inputs[0])
        results = zip(OUTPUTS, self.network.run(images), strict=True)
        outputs = [NumpyCodec.encode_output(name, values) for name, values in results]
        return InferenceResponse(model_name=self.name, outputs=outputs)


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as free:
        grpc_port = free.getsockname()[1]
    install_uvloop_event_loop()
    settings = Settings(
        host="127.0.0.1",
        http_port=int(sys.argv[1]),
        grpc_port=grpc_port,
        parallel_workers=0,
        debug=False,
        metrics_endpoint=None,
    )

    async def serve() -> None:
        """Start inside the loop, like MLServer's own command."""
        batching = {"max_batch_size": MAX_BATCH, "max_batch_time": MAX_WAIT_S} if IS_BATCHING else {}
        await MLServer(settings).start([ModelSettings(name="digits", implementation=Digits, **batching)])

    asyncio.run(serve())
