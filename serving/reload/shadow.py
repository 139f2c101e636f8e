"""A shadow model: a second model that reads the same images in its own process. Only the metrics have its verdicts.

The workers send images over a socket that never blocks them; images that do not fit are not compared. The process runs
at the lowest priority, so it uses only idle time.
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

LOWEST_PRIORITY = 19  # of `nice`

# A message has this head (images, height, width), a state and a class for each image, and the pixels.
HEAD = struct.Struct("<III")
MAX_MESSAGE_BYTES = MAX_INLINE_PIXELS + 100  # takes some microseconds to send

# Linux grants twice `net.core.wmem_max`, 425,984 bytes by default.
BUFFER_BYTES = 2**20


@dataclass
class Shadow:
    """The workers' end of the shadow.

    Attributes:
        version: of the shadow model.
        share: of the runs to send, 0..1.
        line: the socket to its process.
        metrics: count the images that were not compared.
        pid: of its process; 0 after `reap` has seen its end.
    """

    version: str
    share: float
    line: socket.socket
    metrics: Metrics
    pid: int = 0

    @property
    def is_alive(self) -> bool:
        """Return whether its process runs, in any worker: only the process has the other end of the line."""
        poll = select.poll()
        poll.register(self.line, 0)  # reports only a closed line
        return not poll.poll(0)

    def observe(self, images: Images, answer: Answer) -> None:
        """Send the images of a run unless the shadow is busy; an observer of `serving.queue.engine.Engine`."""
        if random.random() >= self.share:  # noqa: S311, the choice of images is not secret
            return
        n_fitting = (MAX_MESSAGE_BYTES - HEAD.size) // (images[0].size + 2)
        if not n_fitting:
            self.metrics.shadow_dropped.add("too_large", amount=len(images))
            return
        for start in range(0, len(images), n_fitting):
            self._send(images[start : start + n_fitting], answer.verdicts[start : start + n_fitting])

    def _send(self, images: Images, verdicts: list[Verdict]) -> None:
        coded = bytes(byte for verdict in verdicts for byte in _coded(verdict))
        try:
            self.line.sendmsg([HEAD.pack(*images.shape), coded, images.tobytes()])
        except ConnectionError:
            self.metrics.shadow_dropped.add("gone", amount=len(images))
        except OSError:  # the line is full
            self.metrics.shadow_dropped.add("busy", amount=len(images))

    def reap(self) -> None:
        """Log the end of the process. Only the parent may call this."""
        pid, status = os.waitpid(self.pid, os.WNOHANG) if self.pid else (0, 0)
        if pid:
            self.pid = 0
            code = os.waitstatus_to_exitcode(status)
            log.error("The shadow model's process has ended (%d). Nothing is compared until the next start.", code)


def start(path: Path, share: float, metrics: Metrics, row: int, listener: socket.socket) -> Shadow:
    """Fork the process, and wait until it has loaded its model.

    Args:
        path: of the shadow model's file.
        share: of the images to send, 0..1.
        metrics: shared with the workers.
        row: of the process in the metrics.
        listener: the service's, which the process closes.

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
    """Compare the images until all workers have ended."""
    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # it ends after the workers
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
    expected = message[HEAD.size : end]
    for number, verdict in enumerate(verdicts):
        is_same = _coded(verdict) == tuple(expected[2 * number : 2 * number + 2])
        metrics.shadow_images.add("same" if is_same else "other")


def _coded(verdict: Verdict) -> tuple[int, int]:
    """Return state and class as two bytes; class 0 if the answer has no digit."""
    return STATES.index(verdict.state), verdict.digit if verdict.state in READ else 0
