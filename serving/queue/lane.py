"""Run long work in a thread, one task at a time, so that the event loop stays free."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from anyio import to_thread

from serving.errors import OverloadedError
from serving.queue.backlog import Backlog

# Longest wait for a task's turn. A task takes a few seconds at most, so the answer comes before the connection expires.
MAX_WAIT_S = 15.0

T = TypeVar("T")


class Lane:
    """A bounded queue of tasks that run in a thread.

    Attributes:
        n_tasks: tasks that run or wait.
    """

    def __init__(self, max_tasks: int, backlog: Backlog) -> None:
        """Accept up to `max_tasks` tasks at a time. They do not belong to `backlog` meanwhile."""
        self.n_tasks = 0
        self._backlog = backlog
        self._max_tasks = max_tasks
        self._turn = asyncio.Lock()

    async def run(self, work: Callable[..., T], *arguments: object) -> T:
        """Run a task when it is its turn."""
        if self.n_tasks >= self._max_tasks:
            raise OverloadedError
        self.n_tasks += 1
        self._backlog.leave()
        # Called without arguments, because an idle thread keeps those of its last call: up to 600 MB for a picture.
        calls = [partial(work, *arguments)]
        del arguments
        try:
            async with asyncio.timeout(MAX_WAIT_S):
                await self._turn.acquire()
            try:
                return await to_thread.run_sync(lambda: calls.pop()())
            finally:
                self._turn.release()
        except TimeoutError:
            raise OverloadedError from None
        finally:
            self._backlog.enter()
            self.n_tasks -= 1
