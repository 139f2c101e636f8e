"""A lane runs one task at a time beside the event loop, and answers or refuses every task in bounded time."""

import asyncio
import gc
import threading
import weakref

import pytest

from serving.errors import OverloadedError
from serving.queue import lane
from serving.queue.backlog import Backlog
from serving.queue.lane import Lane


def test_tasks_take_turns_in_their_order_and_a_full_lane_refuses_at_once() -> None:
    is_allowed, ran = threading.Event(), []

    def work(number: int) -> int:
        assert is_allowed.wait(60)
        ran.append(number)
        return number

    async def main() -> None:
        tasks_lane = Lane(3, Backlog(1))
        tasks = [asyncio.ensure_future(tasks_lane.run(work, number)) for number in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await tasks_lane.run(work, 3)
        assert tasks_lane.n_tasks == 3
        is_allowed.set()
        assert await asyncio.gather(*tasks) == ran == [0, 1, 2]
        assert tasks_lane.n_tasks == 0

    asyncio.run(main())


def test_a_task_that_waits_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "MAX_WAIT_S", 0.01)
    is_allowed = threading.Event()

    async def main() -> None:
        tasks_lane = Lane(3, Backlog(1))
        first = asyncio.ensure_future(tasks_lane.run(is_allowed.wait, 60))
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await tasks_lane.run(int)
        assert tasks_lane.n_tasks == 1
        is_allowed.set()
        assert await first  # a task that runs is not cut off
        assert await tasks_lane.run(lambda: 7) == 7

    asyncio.run(main())


def test_a_failing_task_frees_the_lane_and_no_task_keeps_its_arguments() -> None:
    class Large:
        pass

    async def main() -> None:
        tasks_lane, large = Lane(1, Backlog(1)), Large()
        trace = weakref.ref(large)
        await tasks_lane.run(id, large)
        del large
        gc.collect()
        assert trace() is None
        with pytest.raises(ZeroDivisionError):
            await tasks_lane.run(lambda: 1 / 0)
        assert await tasks_lane.run(int) == tasks_lane.n_tasks == 0

    asyncio.run(main())
