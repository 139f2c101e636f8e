"""The worker's end of the control line; the test is the supervisor."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from serving.errors import NotTakenUpError
from serving.metrics import Metrics
from serving.queue.engine import Engine
from serving.reload.control import Control
from serving.reload.lifecycle import Lifecycle
from tests.serving.conftest import MODEL

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
Supervise = Callable[[Lifecycle, Reader, Writer], Awaitable[None]]


def run(folder: Path, supervise: Supervise) -> bool:
    """Run a worker's end until the supervisor's has ended. Return whether it ended the worker before."""

    async def main() -> bool:
        ours, theirs = socket.socketpair()
        lifecycle = Lifecycle(MODEL, Engine(), Metrics())
        lifecycle.start()
        ended = asyncio.Event()
        listening = asyncio.create_task(Control(theirs, lifecycle, folder).listen(ended.set))
        reader, writer = await asyncio.open_connection(sock=ours)
        async with asyncio.timeout(60):
            await supervise(lifecycle, reader, writer)
            await asyncio.sleep(0)
            has_ended = ended.is_set()
            writer.close()
            await writer.wait_closed()
            await listening
        assert ended.is_set()  # a worker does not outlive its supervisor
        return has_ended

    return asyncio.run(main())


async def heard(reader: Reader) -> dict[str, object]:
    return dict(json.loads(await reader.readline()))


def say(writer: Writer, **message: object) -> None:
    writer.write(json.dumps(message).encode() + b"\n")


def test_a_good_model_is_used_after_the_supervisor_agrees(tmp_path: Path) -> None:
    async def supervise(lifecycle: Lifecycle, reader: Reader, writer: Writer) -> None:
        before = lifecycle.engine.predictor
        loading = asyncio.create_task(lifecycle.load())
        asked = await heard(reader)
        assert Path(str(asked["ask"])).read_bytes() == MODEL.read_bytes()
        assert Path(str(asked["ask"])).parent == tmp_path
        assert lifecycle.engine.predictor is before
        say(writer, use=asked["ask"], number=5)
        assert await heard(reader) == {"did": 5, "error": ""}
        assert lifecycle.engine.predictor is not before
        assert not loading.done()
        say(writer, done=asked["id"], error="")
        await loading

    assert not run(tmp_path, supervise)


def test_a_load_fails_if_not_all_workers_agree(tmp_path: Path) -> None:
    async def supervise(lifecycle: Lifecycle, reader: Reader, writer: Writer) -> None:
        loading = asyncio.create_task(lifecycle.load())
        say(writer, done=(await heard(reader))["id"], error="There is no memory.")
        with pytest.raises(NotTakenUpError, match=r"There is no memory\."):
            await loading

    assert not run(tmp_path, supervise)


def test_a_worker_follows_commands_in_order_and_ends_if_it_cannot(tmp_path: Path) -> None:
    async def supervise(lifecycle: Lifecycle, reader: Reader, writer: Writer) -> None:
        for number, file in enumerate([str(MODEL), None, str(tmp_path / "nowhere.onnx")]):
            say(writer, use=file, number=number)
        assert [await heard(reader) for _ in range(2)] == [{"did": number, "error": ""} for number in range(2)]
        assert lifecycle.engine.predictor is None
        assert "nowhere.onnx" in str((await heard(reader))["error"])

    assert run(tmp_path, supervise)
