import json

import numpy as np
import pytest

from bench.load import Answer
from bench.peers.jobs import digit_of
from bench.peers.section import aims, section
from bench.rounds import ratio

PROBABILITIES = np.eye(10, dtype=np.float32)[7:8]
VALUES = PROBABILITIES.tolist()


def answer(document, blobs=b"", status=200):
    text = json.dumps(document).encode()
    head = f"http/1.1 {status}\r\ninference-header-content-length: {len(text)}" if blobs else f"http/1.1 {status}"
    return Answer(status, head.encode(), text + blobs, is_last=False)


def v2(**tensor):
    score = {"name": "digit_score", "shape": [1], "datatype": "FP32", "parameters": {"binary_data_size": 4}}
    return {"outputs": [score, {"name": "probabilities", "shape": [1, 10], "datatype": "FP32"} | tensor]}


@pytest.mark.parametrize(
    "given",
    [
        answer({"probabilities": VALUES[0]}),
        answer({"predictions": {"probabilities": VALUES}}),
        answer({"outputs": [{"name": "probabilities", "parameters": None, "data": VALUES[0]}]}),
        answer(v2(parameters={"binary_data_size": 40}), np.float32(1).tobytes() + PROBABILITIES.tobytes()),
    ],
)
def test_digit_of_every_form_of_answer(given):
    assert digit_of(given) == 7


@pytest.mark.parametrize("given", [answer({"error": "busy"}, status=503), answer({"error": "odd"}), answer([1])])
def test_digit_of_other_answers(given):
    with pytest.raises(ValueError, match=r"status 503|not a known form"):
        digit_of(given)


def row(peer, form, rate, *, job="tensor", is_tuned=False):
    """Return rows of two rounds. The machine was half as fast in the second."""
    figures = {"p50_ms": [1e3 / rate, 2e3 / rate], "p99_ms": [9, 9], "requests_per_s": [rate, rate / 2]}
    figures["cpu_us"] = [1e6 / rate, 2e6 / rate]
    return [{"peer": peer, "job": job, "form": form, "is_tuned": is_tuned, "connections": n} | figures for n in (1, 16)]


RESULTS = {
    "command": "python -m bench.peers",
    "cpu": "a processor",
    "n_cores": 2,
    "versions": {"FastAPI": "fastapi==1"},
    "run_cpu_us": {"1": [80, 160], "16": [50, 100]},
    "peers": {name: {"start_s": [s, s], "memory_mb": [9, 9]} for name, s in (("Inkling", 2), ("FastAPI", 1))},
    "rows": [
        *row("floor", "raw bytes", 20000),
        *row("Inkling", "raw bytes", 6000),
        *row("Inkling", "V2 binary", 5000),
        *row("Inkling", "body", 3000, job="png"),
        *row("FastAPI", "JSON", 1500),
        *row("FastAPI", "raw bytes", 4000, is_tuned=True),
        *row("FastAPI", "form", 2500, job="png"),
        *row("FastAPI", "body", 2400, job="png", is_tuned=True),
    ],
    "failed": {"KServe": "not up after 120 s"},
}


def test_ratios_are_formed_within_each_round():
    assert str(ratio([100, 50, 90], [50, 25, 60])) == "2.00 (1.50 to 2.00)"


SENTENCES = [
    "**holds** against what its documents teach: 4.00 (4.00 to 4.00), Inkling, raw bytes, to FastAPI, JSON.",
    "**does not hold** against any form, by hand too: 1.50 (1.50 to 1.50), Inkling, raw bytes, to FastAPI, raw",
    "**holds** against what its documents teach: 0.25 (0.25 to 0.25), Inkling, raw bytes, to FastAPI, JSON.",
    "**does not hold** against what its documents teach: 1.20 (1.20 to 1.20), Inkling, body, to FastAPI, form.",
    "16 connections **does not hold** with 75 us an image in a run of a batch of 16: 1.67 (1.67 to 1.67).",
    "take the core for 7,500 requests/s at 16 connections. Inkling (raw bytes) has 0.60 (0.60 to 0.60) of that; "
    "it is 6.67 (6.67 to 6.67) times FastAPI, JSON; it is 2.50 (2.50 to 2.50) times FastAPI, raw bytes by hand",
]


def test_aims_with_their_ratios():
    sentences = list(aims(RESULTS))
    assert [sum(wanted in sentence for sentence in sentences) for wanted in SENTENCES] == [1] * len(SENTENCES)
    assert "Not measured: KServe: not up after 120 s" in section(RESULTS)
