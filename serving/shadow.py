"""A second model that reads what the first one read, in a process of its own; only the metrics know what it says.

The workers hand their images over by a socket that never blocks them: what does not fit is not compared. The process
runs at the lowest priority, so it takes only what time the workers leave.
"""

import os
import random
import signal
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from serving.engine import Answer, Images
from serving.errors import ModelError, StartError
from serving.lifecycle import checked
from serving.metrics import STATES, Metrics
from serving.predictor import READ, Predictor, Verdict

LOWEST_PRIORITY = 19  # as `nice` counts

# A message is this head (images, height, width), a state and a digit for each image, and their pixels.
HEAD = struct.Struct("<III")
MAX_MESSAGE_BYTES = 180_000  # what a socket's buffer takes on any Linux


@dataclass(frozen=True)
class Shadow:
    """The workers' end.

    Attributes:
        version: of the shadow model.
        share: of the model's runs that are handed over, 0..1.
    """

    version: str
    share: float
    line: socket.socket
    metrics: Metrics

    def observe(self, images: Images, answer: Answer) -> None:
        """Hands a run's images over, unless the shadow model is busy: an observer of `serving.engine.Engine`."""
        if random.random() >= self.share:  # noqa: S311, which images are compared is no secret
            return
        fitting = images[: max(0, MAX_MESSAGE_BYTES - HEAD.size) // (images[0].size + 2)]
        said = bytes(byte for verdict in answer.verdicts[: len(fitting)] for byte in _coded(verdict))
        n_sent = len(fitting)
        try:
            if n_sent:
                self.line.sendmsg([HEAD.pack(*fitting.shape), said, fitting.tobytes()])
        except OSError:  # full, or the process is gone
            n_sent = 0
        if n_sent < len(images):
            self.metrics.shadow_dropped.add(amount=len(images) - n_sent)


def start(path: Path, share: float, metrics: Metrics, row: int) -> Shadow:
    """Forks the process, and waits until its model is loaded.

    Args:
        path: of the shadow model's file.
        share: of the images that it sees, 0..1.
        metrics: shared with the workers.
        row: of the metrics, the process's own.

    Raises:
        StartError: the file is not a usable model.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if not os.fork():
        ours.close()
        metrics.count_as(row)
        _run(path, theirs, metrics)
    theirs.close()
    is_loaded, _, text = (ours.recv(4096).decode() or "no Its process died.").partition(" ")
    if is_loaded != "yes":
        raise StartError(f"The shadow model cannot be used. {text}")
    ours.setblocking(False)
    return Shadow(text, share, ours, metrics)


def _run(path: Path, line: socket.socket, metrics: Metrics) -> NoReturn:
    """Compares what comes until every worker is gone."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with the workers
    try:
        os.nice(LOWEST_PRIORITY)
        try:
            predictor = checked(path)
        except ModelError as error:
            line.send(f"no {error}".encode())
        else:
            line.send(f"yes {predictor.card.version}".encode())
            while message := line.recv(MAX_MESSAGE_BYTES):
                _compare(predictor, message, metrics)
    finally:
        os._exit(0)


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
