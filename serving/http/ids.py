"""The headers that identify a request. Responses repeat them, and the log has them."""

import re

from starlette.types import Scope

MAX_ID_LENGTH = 128

# Other values are ignored, so that nobody injects a header, or markup into a page that shows the log.
IDS = {
    b"x-request-id": re.compile(rb"[\w.:/+=@-]{1,%d}" % MAX_ID_LENGTH),
    b"traceparent": re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
}


def ids_of(scope: Scope) -> dict[bytes, bytes]:
    """Return these headers of a request; of a repeated one, the last."""
    return {name: value for name, value in scope["headers"] if name in IDS and IDS[name].fullmatch(value)}
