"""A worker's line to its supervisor: lines of JSON over a socket pair, so that all workers serve one model.

worker      {"ready": version}           it listens
worker      {"ask": file, "id": id}      have all use the model in this file, checked and a copy; null: none
supervisor  {"use": file, "number": n}   to all, the one that asked too: the same for all, in the same order
worker      {"did": n, "error": text}    "": it does; else it cannot, and ends, for a new one to start with that model
supervisor  {"done": id, "error": text}  to the one that asked, once all have; "": all do
supervisor  {"reload": true}             on SIGHUP, to one: read the model file, and ask for it if it is good
"""

import asyncio
import itertools
import json
import logging
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anyio import to_thread

from serving.errors import ModelError, NotTakenUpError
from serving.model.predictor import Predictor
from serving.reload.lifecycle import Lifecycle, checked

log = logging.getLogger(__name__)

# Longer than any model takes to load, and a worker to start; shorter than the deadline of a connection.
ANSWER_S = 30


class Control:
    """Asks for a model in all workers, and puts into use what all are to use."""

    def __init__(self, line: socket.socket, lifecycle: Lifecycle, folder: Path) -> None:
        """Speaks over `line`; the copies of models that it asks for go to `folder`."""
        self._line = line
        self._lifecycle = lifecycle
        self._folder = folder
        self._ids = itertools.count()
        self._asked: dict[int, asyncio.Future[str]] = {}
        lifecycle.exchange = self.exchange

    def say(self, message: dict[str, Any]) -> None:
        """Tells the supervisor something."""
        self._line.sendall(json.dumps(message).encode() + b"\n")

    async def exchange(self, predictor: Predictor | None) -> None:
        """Has all workers use this model, or none.

        Raises:
            NotTakenUpError: not all do.
        """
        file = await to_thread.run_sync(self._copy, predictor.content) if predictor else None
        id_ = next(self._ids)
        self._asked[id_] = asyncio.get_running_loop().create_future()
        self.say({"ask": file, "id": id_})
        try:
            error = await asyncio.wait_for(self._asked[id_], ANSWER_S)
        except TimeoutError:
            error = f"A worker has not answered for {ANSWER_S} s."
        if error:
            log.error("Not every worker has taken up the model. %s", error)
            raise NotTakenUpError(f"Not every worker has taken up the model; load it again. {error}")

    async def listen(self, end: Callable[[], None]) -> None:
        """Does what is told until the supervisor is gone; then, and when something cannot be done, calls `end`."""
        reloads: set[asyncio.Task[None]] = set()
        try:
            reader, writer = await asyncio.open_connection(sock=self._line)
            while line := await reader.readline():
                message = json.loads(line)
                if "use" in message:
                    error = await self._use(message["use"])
                    self.say({"did": message["number"], "error": error})
                    if error:
                        end()
                elif "done" in message:
                    if not (asked := self._asked.pop(message["done"])).done():  # nobody waits any more
                        asked.set_result(message["error"])
                else:
                    reloads.add(task := asyncio.create_task(self._lifecycle.reload()))
                    task.add_done_callback(reloads.discard)
            writer.close()
        finally:
            end()

    async def _use(self, file: str | None) -> str:
        """Puts the model in a file into use here; returns what went wrong."""
        try:
            await self._lifecycle.use(await to_thread.run_sync(checked, Path(file)) if file else None)
        except ModelError as error:
            return str(error)
        return ""

    def _copy(self, content: bytes) -> str:
        number, name = tempfile.mkstemp(".onnx", dir=self._folder)
        with os.fdopen(number, "wb") as file:
            file.write(content)
        return name
