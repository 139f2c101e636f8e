import itertools
import socketserver
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from bench.load import WRONG, ask, closed_loop, http_request, open_loop

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;name=value\r\nlo\r\n0\r\n\r\n"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"
UNTIL_CLOSED = b"HTTP/1.0 200 OK\r\n\r\nhello"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
REQUEST = http_request("/")
ARRIVALS = [number / 200 for number in range(100)]  # 200 requests per second, for half a second


class Server(socketserver.ThreadingTCPServer):
    daemon_threads, request_queue_size = True, 64


class Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        with suppress(OSError):  # the client disconnects at the end of a run
            while b"".join(iter(self.rfile.readline, b"\r\n")) if self.rfile.peek(1) else b"":
                number = next(self.server.numbers)
                time.sleep(self.server.seconds)
                reply = self.server.reply(number)
                self.wfile.write(reply)
                if reply in (b"", LAST, UNTIL_CLOSED):
                    return


@contextmanager
def server(reply, seconds=0.0):
    """Answer each request with `reply` of its number. An empty reply ends the connection."""
    with Server(("127.0.0.1", 0), Handler) as running:
        running.reply, running.seconds, running.numbers = reply, seconds, itertools.count(1)
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.mark.parametrize("reply", [PLAIN, CHUNKED, LAST, UNTIL_CLOSED])
def test_answers_of_every_form_are_read(reply):
    with server(lambda _: reply) as running:
        answer = ask(running.server_address, REQUEST)
        assert (answer.status, answer.body) == (200, b"hello")


def test_an_answer_that_ends_early_is_an_error():
    with server(lambda _: b"") as running, pytest.raises(EOFError):
        ask(running.server_address, REQUEST)


def test_a_request_without_an_answer_is_lost():
    with server(lambda number: b"" if number % 2 else LAST) as running:
        outcome = closed_loop(running.server_address, REQUEST, 1, seconds=0.1, warm_up_s=0)
    n_requests = next(running.numbers) - 1
    assert (outcome.n_lost, outcome.statuses[200]) == ((n_requests + 1) // 2, n_requests // 2)
    refused = closed_loop(running.server_address, REQUEST, 4, seconds=60)
    assert (refused.n_lost, refused.statuses) == (4, {})


def test_a_run_waits_for_open_requests():
    with server(lambda _: PLAIN, seconds=0.1) as running:
        outcome = closed_loop(running.server_address, REQUEST, 4, seconds=0.01, warm_up_s=0)
    assert (outcome.statuses, outcome.n_lost) == ({200: 4}, 0)
    assert outcome.seconds > 0.1
    ordered = sorted(outcome.latencies[200])
    assert [outcome.percentile(0), outcome.percentile(100)] == [ordered[0], ordered[-1]]


def test_an_answer_that_does_not_come_is_lost(monkeypatch):
    monkeypatch.setattr("bench.load.TIMEOUT_S", 0.1)
    with server(lambda _: PLAIN, seconds=0.5) as running:
        assert closed_loop(running.server_address, REQUEST, 2, seconds=0.01, warm_up_s=0).n_lost == 2
        assert open_loop(running.server_address, REQUEST, [0, 0, 0], n_connections=2, seconds=1).n_lost == 3


def test_an_open_loop_sends_due_requests_and_counts_by_status():
    with server(lambda number: PLAIN if number % 4 else BUSY) as running:
        outcome = open_loop(running.server_address, REQUEST, ARRIVALS, n_connections=64, seconds=0.5)
    assert (outcome.statuses, outcome.n_lost) == ({200: 75, 503: 25}, 0)


def test_open_loop_latency_includes_waiting_for_a_connection():
    with server(lambda _: PLAIN, seconds=0.03) as running:
        outcome = open_loop(running.server_address, REQUEST, ARRIVALS[:10], n_connections=1, seconds=0.05)
    assert outcome.statuses[200] == 10
    assert outcome.latencies[200][-1] > 0.2  # at least 9 times 30 ms, less the 50 ms in which all were due


def test_a_closed_loop_goes_on_until_enough_answers_are_good():
    replies = (BUSY, PLAIN.replace(b"hello", b"wrong"), PLAIN)
    with server(lambda number: replies[number % 3]) as running:
        outcome = closed_loop(running.server_address, REQUEST, 1, 0, 0, 5, lambda answer: answer.body == b"hello")
    assert (outcome.statuses, outcome.n_failed) == ({200: 5, 503: 4, WRONG: 5}, 9)
