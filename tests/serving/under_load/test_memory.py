"""The service frees the memory of any number of requests."""

import random
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from .attacks import MB, PREDICT
from .client import PATIENCE_S, read, request
from .process import running

pytestmark = pytest.mark.slow

# malloc's pools and the model's arena still grow after the first requests.
MAX_GROWTH = 16 * MB

N_WARM = 500


def random_requests(n: int) -> Iterator[bytes]:
    """Yield seeded pictures of random sizes, some of them damaged."""
    generator = random.Random(0)
    for _ in range(n):
        width, height = generator.randint(1, 300), generator.randint(1, 300)
        data = generator.randbytes(width * height + generator.choice([0, 0, 0, 0, 1]))
        kind = generator.choice(["raw", "raw", "raw", "V2", "file"])
        if kind == "raw":
            path = f"{PREDICT}?width={width}&height={height}"
            yield request(path, data, Content_Type="application/octet-stream")
        elif kind == "V2":
            text = (
                f'{{"inputs":[{{"name":"image","datatype":"UINT8","shape":[1,{height},{width}],'
                f'"parameters":{{"binary_data_size":{len(data)}}}}}]}}'
            ).encode()
            body = text + data
            yield request("/v2/models/digits/infer", body, Inference_Header_Content_Length=str(len(text)))
        else:
            yield request(PREDICT, b"BM" + struct.pack("<I", len(data)) + data)


def test_thousands_of_sizes_take_no_more(tmp_path: Path) -> None:
    with running(tmp_path) as service, socket.create_connection(service.address, PATIENCE_S) as connection:
        before = 0
        for number, asked in enumerate(random_requests(N_WARM + 10_000)):
            connection.sendall(asked)
            assert read(connection).status in (200, 400, 413, 415, 422)
            if number == N_WARM:
                before = service.memory()
        assert service.memory() - before < MAX_GROWTH
        assert service.said() == ""
