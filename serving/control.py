"""A worker's line to its supervisor: lines of JSON over a socket pair."""

import asyncio
import contextlib
import itertools
import json
import socket
from collections.abc import Callable
from typing import Any

from serving.errors import ModelError
from serving.lifecycle import Lifecycle

# Longer than any model takes to load.
ANSWER_S = 60


class Control:
    """Tells the other workers what was done here, and does what they did."""

    def __init__(self, line: socket.socket, lifecycle: Lifecycle) -> None:
        """Speaks over `line`."""
        self._line = line
        self._lifecycle = lifecycle
        self._numbers = itertools.count()
        self._done: dict[int, asyncio.Future[None]] = {}
        lifecycle.tell_others = self.tell_others

    def say(self, message: dict[str, Any]) -> None:
        """Tells the supervisor something."""
        self._line.sendall(json.dumps(message).encode() + b"\n")

    async def tell_others(self, command: str) -> None:
        """Has the other workers load or unload too; returns once they have, or have refused."""
        number = next(self._numbers)
        self._done[number] = asyncio.get_running_loop().create_future()
        self.say({"command": command, "id": number})
        await asyncio.wait_for(self._done[number], ANSWER_S)

    async def listen(self, end: Callable[[], None]) -> None:
        """Does what is told, until the supervisor is gone: then calls `end`."""
        reader, _ = await asyncio.open_connection(sock=self._line)
        doing: set[asyncio.Task[None]] = set()
        while line := await reader.readline():
            message = json.loads(line)
            if "done" in message:
                if not (done := self._done.pop(message["done"])).done():  # nobody waits any more
                    done.set_result(None)
            else:
                task = asyncio.create_task(self._do(message["command"], message.get("origin")))
                doing.add(task)
                task.add_done_callback(doing.discard)
        end()

    async def _do(self, command: str, origin: list[int] | None) -> None:
        if command == "unload":
            self._lifecycle.unload_here()
        else:
            with contextlib.suppress(ModelError):  # logged, and the model in use stays
                await self._lifecycle.load_here()
        self.say({"origin": origin})
