"""How a document becomes an answer."""

import orjson
from starlette.responses import Response


class JSONResponse(Response):
    """An answer in JSON."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """The bytes of a document of dicts, lists, texts, numbers and numpy arrays."""
        return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
