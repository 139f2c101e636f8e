import json

import numpy as np
import pytest

from bench.jobs import is_right, v2_tensor
from bench.load import Answer
from bench.peers.section import section
from bench.rounds import by_figure, ratio

PROBABILITIES = np.eye(10, dtype=np.float32)[7:8]
VALUES = PROBABILITIES.tolist()


def answer(document, blobs=b"", status=200):
    text = json.dumps(document).encode()
    head = f"http/1.1 {status}\r\ninference-header-content-length: {len(text)}" if blobs else f"http/1.1 {status}"
    return Answer(status, head.encode(), text + blobs)


def v2(**tensor):
    score = {"name": "digit_score", "shape": [1], "datatype": "FP32", "parameters": {"binary_data_size": 4}}
    return {"outputs": [score, {"name": "probabilities", "shape": [1, 10], "datatype": "FP32"} | tensor]}


@pytest.mark.parametrize(
    "given",
    [
        answer({"probabilities": VALUES[0]}),
        answer({"predictions": {"probabilities": VALUES}}),
        answer([{"probabilities": VALUES[0]}]),
        answer(v2(data=VALUES[0])),
        answer(v2(parameters={"binary_data_size": 40}), np.float32(1).tobytes() + PROBABILITIES.tobytes()),
    ],
)
def test_right_answers_of_every_form(given):
    assert is_right(given)


@pytest.mark.parametrize(
    "given",
    [
        answer({"probabilities": VALUES[0]}, status=503),
        answer({"probabilities": VALUES[0][::-1]}),
        answer({"error": "odd"}),
        answer([]),
    ],
)
def test_other_answers_are_not_right(given):
    assert not is_right(given)


def test_v2_requests_have_the_tensor_in_json_or_behind_it():
    (head, body), (_, text) = (v2_tensor(is_binary).request.split(b"\r\n\r\n", 1) for is_binary in (True, False))
    assert body[-784:] == np.uint8(json.loads(text)["inputs"][0]["data"]).tobytes()
    assert f"Inference-Header-Content-Length: {len(body) - 784}" in head.decode()


def rows(peer, form, rate, *, job="tensor", failed=0.0):
    """Return rows of two rounds. The machine was half as fast in the second."""
    figures = {"p50_ms": [1e3 / rate, 2e3 / rate], "requests_per_s": [rate, rate / 2], "failed_percent": [failed] * 2}
    figures["cpu_us"] = [1e6 / rate, 2e6 / rate]
    key = {"peer": peer, "job": job, "form": form}
    return [key | {"connections": n} | figures | ({"p99_ms": [9, 9]} if n > 1 else {}) for n in (1, 16, 64)]


RESULTS = {
    "origin": {"command": "python -m bench.peers", "cpu": "a processor", "n_cores": 2},
    "versions": {"FastAPI": "fastapi==1"},
    "peers": {name: {"start_s": [s, s], "memory_mb": [9, 9]} for name, s in (("Inkling", 2), ("FastAPI", 1))},
    "rows": [
        *rows("floor", "raw bytes", 5000),
        *rows("Inkling", "raw bytes", 6000),
        *rows("Inkling", "V2 binary", 5000),
        *rows("FastAPI", "JSON", 1500, failed=12.3),
        *rows("FastAPI by hand", "raw bytes", 4000),
    ],
    "failed": {"KServe": "not up after 120 s"},
}


def test_ratios_are_formed_within_each_round():
    assert str(ratio([100, 50, 90], [50, 25, 60])) == "2.00 (1.50 to 2.00)"


def test_a_p99_that_is_missing_in_a_round_is_left_out():
    assert by_figure([{"p50_ms": 1, "p99_ms": 2}, {"p50_ms": 3}]) == {"p50_ms": [1, 3]}


LINES = [
    "| 28x28 tensor | p50 | 1 | FastAPI by hand | at most 0.85 | 0.67 (0.67 to 0.67) | yes |",
    "| 28x28 tensor | good answers/s | 16 | FastAPI by hand | at least 1.8 | 1.50 (1.50 to 1.50) | **no** |",
    "| 28x28 tensor | good answers/s | 64 | Inkling at 16 | at least 0.95 | 1.00 (1.00 to 1.00) | yes |",
    "| FastAPI, JSON | 1.00 | 1,000 | 1,000 | 1,125 (12 %) | 1,125 (12 %) | 1,125 (12 %) |  |  | 9.0 | 9.0 |  |",
    "- Not measured: KServe: not up after 120 s",
]


def test_the_section_has_the_aims_and_figures_that_were_measured():
    text = section(RESULTS)
    assert [line for line in LINES if line not in text.split("\n")] == []
    assert sum(line.startswith("| 28x28 tensor") for line in text.split("\n")) == 7
