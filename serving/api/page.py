"""Serve the page's files."""

import mimetypes
import os
import zlib
from functools import lru_cache
from pathlib import Path

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import Receive, Scope, Send

from serving.http.compression import WINDOW_BITS, accepted

# The system's list of types may lack these or be wrong, and browsers rely on them.
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("application/manifest+json", ".webmanifest")

# File types to compress, which reduces them to a third. Pictures are already compressed.
COMPRESSED = (".css", ".html", ".js", ".svg", ".webmanifest")

# Each file is compressed only once, so the slowest level is affordable.
LEVEL = 9


class Page(StaticFiles):
    """Static files without Range support: Starlette's errors for a bad Range are not JSON."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, ignoring its Range header."""
        headers = [header for header in scope["headers"] if header[0] != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Return the file, or 304. Compressed and plain forms share a weak ETag."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        del response.headers["accept-ranges"]
        if Path(full_path).suffix in COMPRESSED:
            response.headers["vary"] = "accept-encoding"
            response.headers["etag"] = f"W/{response.headers['etag']}"
        return response

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file, compressed if that helps and the client supports it, or 304."""
        response = await super().get_response(path, scope)
        coding = accepted(Headers(scope=scope).get("accept-encoding", ""))
        if not (isinstance(response, FileResponse) and "vary" in response.headers and coding):
            return response
        content = await to_thread.run_sync(_compressed, Path(response.path), response.headers["etag"], coding)
        kept = {name: response.headers[name] for name in ("content-type", "etag", "last-modified", "vary")}
        return Response(content, response.status_code, {**kept, "content-encoding": coding})

    async def docs(self, request: Request) -> Response:
        """Return the page that shows the OpenAPI document."""
        return await self.get_response("docs.html", request.scope)


@lru_cache(maxsize=256)
def _compressed(file: Path, _etag: str, coding: str) -> bytes:
    return zlib.compress(file.read_bytes(), LEVEL, WINDOW_BITS[coding])
