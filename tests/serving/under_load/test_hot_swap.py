"""A model swap under load loses no request, and no answer mixes two models."""

import json
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from serving.model.predictor import Predictor
from tests.project import wait_until

from ..conftest import MODEL
from ..drawings import draw
from ..models import other_answers, put
from .client import LOAD, METADATA, READY, Answer, ask, asking, request
from .process import Running, running

IMAGES = np.stack([np.asarray(draw(digit).resize((28, 28))) for digit in (7, 0, 1)])

WORKERS = pytest.mark.parametrize("workers", ["1", "2"])
N_LOADS = 8
N_SIGNALLED = 4
N_WATCHED = 2  # swaps by --watch, which takes half a second to see a change, and as long to be sure of it


def infer(images: np.ndarray) -> bytes:
    tensor = {"name": "image", "datatype": "UINT8", "shape": images.shape, "data": images.ravel().tolist()}
    return request("/v2/models/digits/infer", json.dumps({"inputs": [tensor]}).encode())


# One image and three of one size, so that they share batches.
ASKED = [infer(IMAGES[:1]), infer(IMAGES)]


@pytest.fixture(scope="module")
def contents() -> list[bytes]:
    return [MODEL.read_bytes(), other_answers()]


@pytest.fixture(scope="module")
def expected(contents: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    path = tmp_path_factory.mktemp("models") / "digits.onnx"
    answers = {}
    for content in contents:
        path.write_bytes(content)
        model = Predictor.load(path)
        answers[model.card.version] = model.run(IMAGES).probabilities
    first, second = answers.values()
    assert not np.isclose(first, second, rtol=1e-3).all(axis=1).any()
    return answers


def check(answers: list[Answer], expected: dict[str, np.ndarray]) -> set[str]:
    """Assert that each answer comes from the model that it names only. Return the versions."""
    versions = set()
    for answer in answers:
        assert answer.status == 200, answer.body
        document = json.loads(answer.body)
        found = np.asarray(document["outputs"][0]["data"]).reshape(-1, 10)
        assert np.allclose(found, expected[document["model_version"]][: len(found)], rtol=1e-4)
        versions.add(document["model_version"])
    return versions


def version_at(service: Running) -> str:
    version: str = json.loads(ask(service.address, METADATA).body)["versions"][0]
    return version


def swaps(service: Running, contents: list[bytes], expected: dict[str, np.ndarray], n: int) -> Iterator[str]:
    """Replace the file `n` times. Yield the version to load."""
    for number in range(1, n + 1):
        put(contents[number % 2], service.model)
        yield list(expected)[number % 2]


@pytest.mark.workflow
@WORKERS
def test_loads_lose_and_mix_nothing(
    tmp_path: Path, workers: str, contents: list[bytes], expected: dict[str, np.ndarray]
) -> None:
    with running(tmp_path, "--workers", workers) as service, asking(service.address, *ASKED) as tally:
        for version in swaps(service, contents, expected, N_LOADS):
            assert ask(service.address, LOAD).status == 200
            assert all_have(service, version)
    assert (tally.lost, tally.n_closed) == ([], 0)
    assert check(tally.answers, expected) == set(expected)


@pytest.mark.slow
@WORKERS
def test_signals_and_a_changed_file_swap_the_model(
    tmp_path: Path, workers: str, contents: list[bytes], expected: dict[str, np.ndarray]
) -> None:
    with running(tmp_path, "--workers", workers, "--watch") as service, asking(service.address, *ASKED) as tally:
        for version in swaps(service, contents, expected, N_SIGNALLED):
            service.popen.send_signal(signal.SIGHUP)
            wait_until(lambda version=version: all_have(service, version), service.popen)
        for version in swaps(service, contents, expected, N_WATCHED):
            wait_until(lambda version=version: all_have(service, version), service.popen)
    assert (tally.lost, tally.n_closed) == ([], 0)
    assert check(tally.answers, expected) == set(expected)


def all_have(service: Running, version: str) -> bool:
    # New connections go to any of the workers.
    return all(version_at(service) == version for _ in range(4))


@pytest.mark.workflow
@WORKERS
def test_a_truncated_file_changes_nothing(
    tmp_path: Path, workers: str, contents: list[bytes], expected: dict[str, np.ndarray]
) -> None:
    def wait_for_refusals(n_times: int) -> None:
        wait_until(lambda: service.said().count("was refused") == n_times, service.popen)  # by one worker, not by each

    with running(tmp_path, "--workers", workers, "--watch") as service, asking(service.address, *ASKED) as tally:
        put(contents[1][:100_000], service.model)
        wait_for_refusals(1)
        service.popen.send_signal(signal.SIGHUP)
        wait_for_refusals(2)
        answer = ask(service.address, LOAD)
        assert (answer.status, list(json.loads(answer.body))) == (400, ["error"])
        assert ask(service.address, READY).status == 200
        time.sleep(0.1)
    assert tally.lost == []
    assert check(tally.answers, expected) == {next(iter(expected))}
    assert "Traceback" not in service.said()


@pytest.mark.slow
def test_old_models_are_freed(tmp_path: Path, contents: list[bytes], expected: dict[str, np.ndarray]) -> None:
    with running(tmp_path) as service, socket.create_connection(service.address):
        memory = []
        for _ in swaps(service, contents, expected, 30):
            assert ask(service.address, LOAD).status == 200
            memory.append(service.memory())
        # A session takes several MB; the first loads fill malloc's pools.
        assert memory[-1] - memory[9] < 20 * 2**20
