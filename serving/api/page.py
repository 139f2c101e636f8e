"""Serve the page's files."""

import mimetypes
from functools import lru_cache
from pathlib import Path

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from serving.http.compression import accepted, compress

# The system's list of types may lack these or be wrong, and browsers rely on them.
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("text/javascript", ".mjs")
mimetypes.add_type("application/wasm", ".wasm")
mimetypes.add_type("application/manifest+json", ".webmanifest")

# File types to compress, which reduces them to a third. Pictures are already compressed.
COMPRESSED = (".css", ".html", ".js", ".mjs", ".svg", ".wasm", ".webmanifest")

# Each file is compressed only once, so the slowest level is affordable.
LEVEL = 9


class Page(StaticFiles):
    """Static files, kept in memory. They have no Range support: Starlette's errors for a bad Range are not JSON."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file, compressed if that helps and the client supports it, or 304."""
        response = await super().get_response(path, scope)
        if "etag" not in response.headers:  # a redirect
            return response
        response.headers["vary"] = "accept-encoding"
        response.headers["etag"] = f"W/{response.headers['etag']}"  # weak: compressed and plain forms share it
        if not isinstance(response, FileResponse):  # 304
            return response
        file = Path(response.path)
        coding = accepted(Headers(scope=scope).get("accept-encoding", "")) if file.suffix in COMPRESSED else None
        content = await to_thread.run_sync(_content, file, response.headers["etag"], coding)
        headers = {name: response.headers[name] for name in ("content-type", "etag", "last-modified", "vary")}
        return Response(content, response.status_code, headers | ({"content-encoding": coding} if coding else {}))

    async def docs(self, request: Request) -> Response:
        """Return the page that shows the OpenAPI document."""
        return await self.get_response("docs.html", request.scope)


@lru_cache(maxsize=256)
def _content(file: Path, _etag: str, coding: str | None) -> bytes:
    content = file.read_bytes()
    return compress(content, coding, LEVEL) if coding else content
