"""The floor: bare ASGI that runs the model for each request, without validation, batching or admission control."""

from urllib.parse import parse_qs

import numpy as np
import orjson
from network import OUTPUTS, Network

network = Network()


async def app(scope, receive, send) -> None:  # noqa: ANN001, as ASGI has them
    """Answer raw grey levels with the two outputs."""
    if scope["type"] != "http":
        return
    body, is_more = b"", True
    while is_more:
        message = await receive()
        body, is_more = body + message["body"], message["more_body"]
    size = parse_qs(scope["query_string"])
    image = np.frombuffer(body, np.uint8).reshape(1, int(size[b"height"][0]), int(size[b"width"][0]))
    outputs = dict(zip(OUTPUTS, network.run(image), strict=True))
    content = orjson.dumps(outputs, option=orjson.OPT_SERIALIZE_NUMPY)
    head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": content})
