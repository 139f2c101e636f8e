import json

import numpy as np
import pytest

from bench.load import Answer
from bench.peers.jobs import digit_of
from bench.peers.table import PEERS

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
        answer({"probabilities": VALUES}),
        answer({"predictions": {"probabilities": VALUES}}),
        answer({"outputs": [{"name": "probabilities", "parameters": None, "data": VALUES[0]}]}),
        answer(v2(parameters={"binary_data_size": 40}), np.float32(1).tobytes() + PROBABILITIES.tobytes()),
    ],
)
def test_the_digit_is_found_in_every_form_of_answer(given):
    assert digit_of(given) == 7


@pytest.mark.parametrize("given", [answer({"error": "busy"}, status=503), answer({"error": "odd"}), answer([1])])
def test_what_is_no_answer_is_refused(given):
    with pytest.raises(ValueError, match=r"status 503|not an answer"):
        digit_of(given)


def test_every_peer_has_both_jobs_but_for_the_floor():
    assert {peer.name: {form.job for form in peer.forms} for peer in PEERS} == {
        peer.name: {"tensor"} if peer.name == "floor" else {"tensor", "png"} for peer in PEERS
    }
