"""The page's files."""

import mimetypes
import os
import zlib
from pathlib import Path

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import Receive, Scope, Send

from serving.http.compression import WINDOW_BITS, accepted

# What a machine's own list of types may lack or have otherwise; a browser goes by these.
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("application/manifest+json", ".webmanifest")

# Of these, a third of the bytes is left; pictures are compressed already.
COMPRESSED = (".css", ".html", ".js", ".svg", ".webmanifest")

# Done once for each file, so well, not fast.
LEVEL = 9


class Page(StaticFiles):
    """The page's files, each as a whole: what Starlette says of a Range that it cannot give is not JSON."""

    def __init__(self, directory: Path) -> None:
        """Serves a folder; `index.html` is its own address."""
        super().__init__(directory=directory, html=True)
        # By file and coding: which version of the file it was, and what became of it.
        self._kept: dict[tuple[Path, str], tuple[str, bytes]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as if no Range had been asked for."""
        headers = [header for header in scope["headers"] if header[0] != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """A file as it is, or 304; of what is also sent compressed, the tag is weak: it is for either."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        del response.headers["accept-ranges"]
        if Path(full_path).suffix in COMPRESSED:
            response.headers["vary"] = "accept-encoding"
            response.headers["etag"] = f"W/{response.headers['etag']}"
        return response

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, compressed if it gains by that and the client can read it, or 304 if the client has it."""
        response = await super().get_response(path, scope)
        coding = accepted(Headers(scope=scope).get("accept-encoding", ""))
        if not (isinstance(response, FileResponse) and "vary" in response.headers and coding):
            return response
        content = await to_thread.run_sync(self._compressed, Path(response.path), response.headers["etag"], coding)
        kept = {name: response.headers[name] for name in ("content-type", "etag", "last-modified", "vary")}
        return Response(content, response.status_code, {**kept, "content-encoding": coding})

    def _compressed(self, file: Path, etag: str, coding: str) -> bytes:
        of, content = self._kept.get((file, coding), ("", b""))
        if of != etag:
            content = zlib.compress(file.read_bytes(), LEVEL, WINDOW_BITS[coding])
            self._kept[file, coding] = etag, content
        return content
