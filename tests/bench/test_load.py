import random
import socketserver
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from bench.load import ask, closed_loop, http_request, open_loop, parse

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;name=value\r\nlo\r\n0\r\n\r\n"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"
UNTIL_CLOSED = b"HTTP/1.0 200 OK\r\n\r\nhello"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
REQUEST = http_request("/", b"picture")
ARRIVALS = [number / 200 for number in range(1000)]  # arrivals of 200 requests per second


class Server(socketserver.ThreadingTCPServer):
    """Answer each request with `reply` of its number. Close the connection after the last answer on it."""

    daemon_threads, request_queue_size = True, 64

    def __init__(self, reply, seconds, is_hasty):
        self.reply, self.seconds, self.is_hasty = reply, seconds, is_hasty
        self.requests, self.n_connections = [], 0
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        self.server.n_connections += 1
        with suppress(OSError):  # the client disconnects at the end of a run
            while head := b"".join(iter(self.rfile.readline, b"\r\n")) if self.rfile.peek(1) else b"":
                self.answer(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))

    def answer(self, length):
        server = self.server
        if server.is_hasty:
            self.wfile.write(server.reply(len(server.requests)))
            time.sleep(0.02)
            server.requests.append(self.rfile.read(length))
            return
        server.requests.append(self.rfile.read(length))
        reply = server.reply(len(server.requests))
        time.sleep(server.seconds)
        for start in range(0, len(reply), 7):  # in many parts
            self.wfile.write(reply[start : start + 7])
        if reply in (LAST, UNTIL_CLOSED, b""):
            raise ConnectionResetError


@contextmanager
def server(reply, seconds=0.0, is_hasty=False):
    """Run a `Server`. A hasty one answers before it reads the body."""
    with Server(reply, seconds, is_hasty) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.mark.parametrize("reply", [PLAIN, CHUNKED, LAST, UNTIL_CLOSED])
def test_forms_of_answers_and_kept_connections(reply):
    is_last = reply in (LAST, UNTIL_CLOSED)
    with server(lambda _: reply) as running:
        answer = ask(running.server_address, REQUEST)
        assert (answer.status, answer.body, answer.is_last) == (200, b"hello", is_last)
        outcome = closed_loop(running.server_address, REQUEST, 2, seconds=0.2, warm_up_s=0)
    assert outcome.statuses == {200: len(running.requests) - 1}
    assert outcome.statuses[200] >= 2
    assert outcome.n_lost == outcome.n_refused == 0
    assert set(running.requests) == {b"picture"}
    assert running.n_connections >= len(running.requests) if is_last else running.n_connections == 3
    ordered = sorted(outcome.latencies[200])
    assert [outcome.percentile(0), outcome.percentile(100)] == [ordered[0], ordered[-1]]


@pytest.mark.parametrize("reply", [PLAIN, CHUNKED])
def test_an_answer_is_complete_at_its_last_byte(reply):
    assert all(parse(reply[:length], is_closed=False) is None for length in range(len(reply)))
    assert parse(reply, is_closed=False).body == b"hello"


def test_a_request_without_an_answer_is_lost():
    with server(lambda number: b"" if number % 2 else PLAIN) as running:
        outcome = closed_loop(running.server_address, REQUEST, 1, seconds=0.2, warm_up_s=0)
    n_requests = len(running.requests)
    assert (outcome.n_lost, outcome.statuses[200]) == ((n_requests + 1) // 2, n_requests // 2)


def test_a_run_waits_for_open_requests():
    with server(lambda _: PLAIN, seconds=0.1) as running:
        outcome = closed_loop(running.server_address, REQUEST, 4, seconds=0.01, warm_up_s=0)
    assert (outcome.statuses, outcome.n_lost) == ({200: 4}, 0)
    assert outcome.seconds > 0.1


def test_a_run_ends_if_nothing_listens():
    with server(lambda _: PLAIN) as running:
        pass
    outcome = closed_loop(running.server_address, REQUEST, 4, seconds=60)
    assert (outcome.n_refused, outcome.statuses) == (4, {})


@pytest.mark.parametrize("is_hasty", [False, True])
def test_a_large_request_is_sent_completely(is_hasty):
    picture = random.Random(0).randbytes(20_000_000)
    with server(lambda _: PLAIN, is_hasty=is_hasty) as running:
        outcome = closed_loop(running.server_address, http_request("/", picture), 1, seconds=0.5, warm_up_s=0)
    assert outcome.statuses[200] >= 1 + is_hasty
    assert running.n_connections == 1
    assert all(sent == picture for sent in running.requests)


def test_an_open_loop_sends_due_requests_and_counts_by_status():
    with server(lambda number: PLAIN if number % 4 else BUSY) as running:
        outcome = open_loop(running.server_address, REQUEST, ARRIVALS, seconds=0.5, warm_up_s=0)
    assert sum(outcome.statuses.values()) == pytest.approx(100, abs=1)
    assert outcome.statuses[503] == len(running.requests) // 4
    assert outcome.n_lost == 0


def test_open_loop_latency_includes_waiting_for_a_connection():
    with server(lambda _: PLAIN, seconds=0.03) as running:
        outcome = open_loop(running.server_address, REQUEST, ARRIVALS, n_connections=1, seconds=0.05, warm_up_s=0)
    assert outcome.statuses[200] == pytest.approx(10, abs=1)
    assert outcome.latencies[200][-1] > 0.2  # at least 9 times 30 ms, less the 50 ms in which all were due
