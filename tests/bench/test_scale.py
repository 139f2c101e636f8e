import statistics

import numpy as np
import pytest

from bench.rounds import by_figure
from bench.scale import FRAME_S, arrivals, replicas, requests_of, section, served
from pipeline.sources.unipen import Drawing

RATE = 200.0


def test_drawings_send_a_request_per_frame_at_the_rate_from_the_start():
    starts = [len(arrivals(RATE, [10, 70], 1, seed)) for seed in range(100)]
    assert statistics.mean(starts) == pytest.approx(RATE, rel=0.1)
    due = arrivals(RATE, [10, 70], 100, seed=1)
    assert due == sorted(due)
    assert len(due) == pytest.approx(100 * RATE, rel=0.1)
    alone = next(due for seed in range(100) if len(due := arrivals(0.3, [3], 10, seed)) == 3)
    assert np.diff(alone) == pytest.approx(FRAME_S)


def test_a_drawing_has_a_request_for_each_event_that_moves_the_pen():
    strokes = [np.float32([[1, 1], [1, 1], [2, 1], [1, 1]]), np.float32([[5, 5]])]
    assert requests_of(Drawing(7, 1, strokes)) == 4


@pytest.mark.parametrize(("needed", "n"), [(0, 0), (1, 1), (70, 1), (71, 2), (140, 2), (11_000, 158)])
def test_replicas_keep_their_headroom(needed, n):
    assert replicas(needed, served=100) == n


def load(share, p99_ms, refused_per_s=0.0):
    offered = share * 1000
    row = {"offered_per_s": offered, "answered_per_s": offered - refused_per_s, "refused_per_s": refused_per_s}
    row |= {"lost": 0, "p50_ms": 2, "p99_ms": p99_ms, "cpu_us": 900, "busiest_share": 0.6}
    return by_figure([row] * 2)


WHOLE = {"capacity_per_s": 1000, "capacity_cpu_us": 800, "calm_p50_ms": 1, "calm_cpu_us": 1500}
LOADS = {"0.5": load(0.5, 20), "0.8": load(0.8, 45), "1.2": load(1.2, 40, 200)}
SERVICE = {
    "whole": by_figure([WHOLE | {"memory_mb": 100, "connection_kb": 4}] * 2),
    "requests": LOADS,
    "drawings": LOADS | {"0.8": load(0.8, 51)},
}
RESULTS = {
    "origin": {"command": "python -m bench.scale", "cpu": "a processor", "n_cores": 2},
    "seconds": 2.0,
    "drawing": {"n_drawings": 9, "mean_requests": 36.0, "frame_s": 1 / 60, "request_bytes": 1129},
    "limits": {"max_connections": 1000, "idle_timeout_s": 30.0, "max_bodies_bytes": 2**27},
    "services": {"1": SERVICE, "2": SERVICE},
}


def test_served_ends_at_the_first_late_or_refused_answers():
    assert served(SERVICE, "requests")[0] == "0.8"
    assert served(SERVICE, "drawings")[0] == "0.5"
    assert served(SERVICE | {"requests": {"0.2": load(0.2, 51), "0.5": load(0.5, 20)}}, "requests") is None


SENTENCES = [
    "| single requests | 0.5 | 500 | 500 | 0 | 0 | 2.0 | 20.0 | 900 |",
    "The service then had 0.80 (0.80 to 0.80) of its core's time",
    # 10,000 / (500 x 0.7) and 278 / (800 x 0.7)
    "| 36.0 | 10,000 | 500 | 0.5 | 29 | 8,500 | 13 | **29** |",
    "| 1.0 | 278 | 800 | 0.8 | 1 | 8,338 | 12 | **12** |",
]


def test_the_section_contains_the_derived_figures():
    text = section(RESULTS)
    assert [sentence for sentence in SENTENCES if sentence not in text] == []
