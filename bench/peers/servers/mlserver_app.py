"""MLServer: the model in the server process (no parallel workers), no debug mode, no metrics."""

import asyncio
import socket
import sys

from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import Base64Codec, NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from mlserver.utils import install_uvloop_event_loop
from network import OUTPUTS, Network, grey


class Digits(MLModel):
    """Takes one V2 input: UINT8 ``[n, h, w]``, or BYTES with a PNG in base64."""

    async def load(self) -> bool:
        """Load the model."""
        self.network = Network()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Run the model."""
        tensor = payload.inputs[0]
        if tensor.datatype == "BYTES":
            images = grey(Base64Codec.decode_input(tensor)[0])
        else:
            images = NumpyCodec.decode_input(tensor)
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
        await MLServer(settings).start([ModelSettings(name="digits", implementation=Digits)])

    asyncio.run(serve())
