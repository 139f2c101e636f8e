"""A second model that reads what the first one read, in a process of its own; only the metrics know what it says.

The workers hand their images over by a socket that never blocks them: what does not fit is not compared. The process
runs at the lowest priority, so it takes only what time the workers leave.
"""

import logging
import os
import random
import select
import signal
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from serving.errors import ModelError, StartError
from serving.metrics import STATES, Metrics
from serving.model.decisions import READ
from serving.model.predictor import Predictor, Verdict
from serving.queue.engine import MAX_INLINE_PIXELS, Answer, Images
from serving.reload.lifecycle import checked

log = logging.getLogger(__name__)

LOWEST_PRIORITY = 19  # as `nice` counts

# A message is this head (images, height, width), a state and a digit for each image, and their pixels.
HEAD = struct.Struct("<III")
MAX_MESSAGE_BYTES = MAX_INLINE_PIXELS + 100  # takes some microseconds to send

# Linux gives as much as `net.core.wmem_max` allows, twice: 425,984 bytes unless that is changed.
BUFFER_BYTES = 2**20


@dataclass
class Shadow:
    """The workers' end.

    Attributes:
        version: of the shadow model.
        share: of the model's runs that are handed over, 0..1.
        line: the socket to its process.
        metrics: what was not compared is counted in.
        pid: of its process; 0 once that has ended and `reap` has seen it.
    """

    version: str
    share: float
    line: socket.socket
    metrics: Metrics
    pid: int = 0

    @property
    def is_alive(self) -> bool:
        """Whether its process is there, in whichever worker this is asked: nobody else holds the line's other end."""
        poll = select.poll()
        poll.register(self.line, 0)  # the other end's closing is always told
        return not poll.poll(0)

    def observe(self, images: Images, answer: Answer) -> None:
        """Hands a run's images over, unless the shadow model is busy: an observer of `serving.queue.engine.Engine`."""
        if random.random() >= self.share:  # noqa: S311, which images are compared is no secret
            return
        n_fitting = (MAX_MESSAGE_BYTES - HEAD.size) // (images[0].size + 2)
        if not n_fitting:
            self.metrics.shadow_dropped.add("too_large", amount=len(images))
            return
        for start in range(0, len(images), n_fitting):
            self._send(images[start : start + n_fitting], answer.verdicts[start : start + n_fitting])

    def _send(self, images: Images, verdicts: list[Verdict]) -> None:
        said = bytes(byte for verdict in verdicts for byte in _coded(verdict))
        try:
            self.line.sendmsg([HEAD.pack(*images.shape), said, images.tobytes()])
        except ConnectionError:
            self.metrics.shadow_dropped.add("gone", amount=len(images))
        except OSError:  # the line is full
            self.metrics.shadow_dropped.add("busy", amount=len(images))

    def reap(self) -> None:
        """Looks whether the process has ended, and logs it; for the process that forked it, from time to time."""
        pid, status = os.waitpid(self.pid, os.WNOHANG) if self.pid else (0, 0)
        if pid:
            self.pid = 0
            code = os.waitstatus_to_exitcode(status)
            log.error("The shadow model's process has ended (%d). Nothing is compared until the next start.", code)


def start(path: Path, share: float, metrics: Metrics, row: int, listener: socket.socket) -> Shadow:
    """Forks the process, and waits until its model is loaded: the file is read this once.

    Args:
        path: of the shadow model's file.
        share: of the images that it sees, 0..1.
        metrics: shared with the workers.
        row: of the metrics, the process's own.
        listener: the service's, which is none of its business.

    Raises:
        StartError: the file is not a usable model.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if not pid:
        ours.close()
        listener.close()
        metrics.count_as(row)
        _run(path, theirs, metrics)
    theirs.close()
    is_loaded, _, text = (ours.recv(4096).decode() or "no Its process died.").partition(" ")
    if is_loaded != "yes":
        raise StartError(f"The shadow model cannot be used. {text}")
    ours.setblocking(False)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    return Shadow(text, share, ours, metrics, pid)


def _run(path: Path, line: socket.socket, metrics: Metrics) -> NoReturn:
    """Compares what comes until every worker is gone."""
    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # it ends with the workers
        os.nice(LOWEST_PRIORITY)
        try:
            predictor = checked(path)
        except ModelError as error:
            line.send(f"no {error}".encode())
        else:
            line.send(f"yes {predictor.card.version}".encode())
            while message := line.recv(MAX_MESSAGE_BYTES):
                _compare(predictor, message, metrics)
            code = 0
    except Exception:
        log.exception("The shadow model failed.")
    finally:
        os._exit(code)


def _compare(predictor: Predictor, message: bytes, metrics: Metrics) -> None:
    n_images, height, width = HEAD.unpack_from(message)
    end = HEAD.size + 2 * n_images
    images = np.frombuffer(message, np.uint8, offset=end).reshape(n_images, height, width)
    started_s = time.perf_counter()
    verdicts = predictor.verdicts(predictor.run(images))
    metrics.shadow_run.observe(time.perf_counter() - started_s)
    said = message[HEAD.size : end]
    for number, verdict in enumerate(verdicts):
        is_same = _coded(verdict) == tuple(said[2 * number : 2 * number + 2])
        metrics.shadow_images.add("same" if is_same else "other")


def _coded(verdict: Verdict) -> tuple[int, int]:
    """State and digit in two bytes; of what is not read, no digit."""
    return STATES.index(verdict.state), verdict.digit if verdict.state in READ else 0
