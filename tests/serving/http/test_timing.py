"""Stages and their sum; the clock is turned by hand."""

from types import SimpleNamespace
from typing import cast

import pytest

from serving.http import timing
from serving.http.timing import Timing
from serving.queue.engine import Answer


def test_stages_are_told_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([10.0, 11.0, 11.5, 14.0, 14.25, 15.0])
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: next(times)))
    clock = Timing()  # at 10
    clock.start()  # at 11: the client's body took a second, which is nobody's stage
    clock.lap("decode")  # at 11.5
    clock.add_answer(cast(Answer, SimpleNamespace(queue_s=0.75, infer_s=1.5)))  # at 14
    clock.lap("encode")  # at 14.25
    assert (
        clock.end()
        == "decode;dur=500.000, queue;dur=750.000, infer;dur=1500.000, encode;dur=250.000, total;dur=5000.000"
    )
    assert [stage for stage, _ in clock.stages] == ["decode", "queue", "infer", "encode", "total"]
