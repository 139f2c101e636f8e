import random
import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from bench.arrivals import steady
from bench.load import ask, closed_loop, http_request, open_loop, parse

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;name=value\r\nlo\r\n0\r\n\r\n"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"
UNTIL_CLOSED = b"HTTP/1.0 200 OK\r\n\r\nhello"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


class Server:
    """Answers each request with what `reply` makes of its number, and closes the connection where it is the last."""

    def __init__(self, reply, seconds, is_hasty):
        self.reply, self.seconds, self.is_hasty = reply, seconds, is_hasty
        self.requests = []
        self.n_connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = self.listener.getsockname()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.n_connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # At the end of a run the client leaves without a word.
        with suppress(OSError), connection, connection.makefile("rb") as stream:
            while head := read_head(stream):
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                if self.is_hasty:
                    connection.sendall(self.reply(len(self.requests)))
                    time.sleep(0.02)
                    self.requests.append(stream.read(length))
                    continue
                self.requests.append(stream.read(length))
                reply = self.reply(len(self.requests))
                time.sleep(self.seconds)
                for byte in range(0, len(reply), 7):  # an answer comes in as many parts as it likes
                    connection.sendall(reply[byte : byte + 7])
                if reply in (LAST, UNTIL_CLOSED, b""):
                    return


def read_head(stream):
    """The lines of a request's head; nothing once the client has left."""
    head = b""
    while (line := stream.readline()) not in (b"\r\n", b""):
        head += line
    return head


@contextmanager
def server(reply, seconds=0.0, is_hasty=False):
    """A running `Server`; a hasty one answers before it reads the body."""
    running = Server(reply, seconds, is_hasty)
    threading.Thread(target=running.accept, daemon=True).start()
    yield running
    running.listener.shutdown(socket.SHUT_RDWR)
    running.listener.close()


REQUEST = http_request("/", b"picture")


@pytest.mark.parametrize("reply", [PLAIN, CHUNKED, LAST, UNTIL_CLOSED])
def test_every_form_of_answer_is_read_whole(reply):
    with server(lambda _: reply) as running:
        answer = ask(running.address, REQUEST)
        assert (answer.status, answer.body, answer.is_last) == (200, b"hello", reply in (LAST, UNTIL_CLOSED))
        outcome = closed_loop(running.address, REQUEST, 2, seconds=0.2, warm_up_s=0)
    assert outcome.statuses == {200: len(running.requests) - 1}
    assert outcome.statuses[200] >= 2
    assert outcome.n_lost == outcome.n_refused == 0
    assert set(running.requests) == {b"picture"}


@pytest.mark.parametrize("reply", [PLAIN, CHUNKED])
def test_an_answer_is_complete_at_its_last_byte_and_not_before(reply):
    assert all(parse(reply[:length], is_closed=False) is None for length in range(len(reply)))
    assert parse(reply, is_closed=False).body == b"hello"


def test_a_connection_is_kept_until_the_server_ends_it():
    with server(lambda _: PLAIN) as running:
        closed_loop(running.address, REQUEST, 3, seconds=0.2, warm_up_s=0)
        assert len(running.requests) >= running.n_connections == 3
    with server(lambda _: LAST) as running:
        closed_loop(running.address, REQUEST, 3, seconds=0.2, warm_up_s=0)
        assert running.n_connections >= len(running.requests) >= 3


def test_a_request_whose_connection_ends_without_an_answer_is_lost():
    with server(lambda number: b"" if number % 2 else PLAIN) as running:
        outcome = closed_loop(running.address, REQUEST, 1, seconds=0.2, warm_up_s=0)
    n_requests = len(running.requests)
    assert outcome.n_lost == (n_requests + 1) // 2
    assert outcome.statuses[200] == n_requests // 2


def test_the_end_of_a_run_cuts_off_no_request():
    with server(lambda _: PLAIN, seconds=0.1) as running:
        outcome = closed_loop(running.address, REQUEST, 4, seconds=0.01, warm_up_s=0)
    assert (outcome.statuses, outcome.n_lost) == ({200: 4}, 0)
    assert outcome.seconds > 0.1


def test_where_nobody_listens_the_run_ends():
    with server(lambda _: PLAIN) as running:
        pass
    outcome = closed_loop(running.address, REQUEST, 4, seconds=60)
    assert (outcome.n_refused, outcome.statuses) == (4, {})


def test_a_large_request_is_sent_in_parts():
    picture = random.Random(0).randbytes(20_000_000)
    with server(lambda _: PLAIN) as running:
        outcome = closed_loop(running.address, http_request("/", picture), 2, seconds=0.5, warm_up_s=0)
    assert outcome.statuses[200] > 0
    assert running.requests[0] == picture


def test_a_request_that_is_refused_before_it_was_sent_whole_is_sent_to_its_end():
    picture = random.Random(0).randbytes(20_000_000)
    with server(lambda _: PLAIN, is_hasty=True) as running:
        outcome = closed_loop(running.address, http_request("/", picture), 1, seconds=0.3, warm_up_s=0)
    assert outcome.statuses[200] >= 2
    assert running.n_connections == 1
    assert all(sent == picture for sent in running.requests)


def test_an_open_loop_sends_what_is_due_and_counts_by_status():
    with server(lambda number: PLAIN if number % 4 else BUSY) as running:
        outcome = open_loop(running.address, REQUEST, steady(200), seconds=0.5, warm_up_s=0)
    assert sum(outcome.statuses.values()) == pytest.approx(100, abs=1)
    assert outcome.statuses[503] == len(running.requests) // 4
    assert outcome.n_lost == 0


def test_in_an_open_loop_waiting_for_a_connection_counts_as_latency():
    with server(lambda _: PLAIN, seconds=0.03) as running:
        outcome = open_loop(running.address, REQUEST, steady(200), n_connections=1, seconds=0.05, warm_up_s=0)
    assert outcome.statuses[200] == pytest.approx(10, abs=1)
    assert outcome.latencies[200][-1] > 0.2  # at least 9 times 30 ms, less the 50 ms in which all were due


def test_percentiles_are_values_that_occurred():
    with server(lambda _: PLAIN) as running:
        outcome = closed_loop(running.address, REQUEST, seconds=0.1, warm_up_s=0)
    ordered = sorted(outcome.latencies[200])
    assert outcome.percentile(0) == ordered[0]
    assert outcome.percentile(100) == ordered[-1]
    assert ordered[0] <= outcome.percentile(50) <= ordered[-1]
