"""A shadow model: a second model that reads the same images in its own process. Only the metrics have its verdicts.

The workers send images over a socket that never blocks them; images that do not fit are not compared. The process runs
at the lowest priority, so it uses only idle time.
"""

import errno
import logging
import os
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import msgspec
import numpy as np

from serving.errors import ModelError, StartError
from serving.metrics import Metrics
from serving.model.decisions import READ, State
from serving.model.predictor import Verdict
from serving.queue.engine import Answer, Images
from serving.reload.shared import load_model
from serving.signature import PublicKey

log = logging.getLogger(__name__)

LOWEST_PRIORITY = 19  # of `nice`

# The shape of the images, state and digit of each, and the pixels.
Message = tuple[tuple[int, int, int], list[tuple[State, int | None]], bytes]

# Linux grants twice `net.core.wmem_max`, 425,984 bytes by default, and at most twice this size.
BUFFER_BYTES = 2**20


@dataclass
class Shadow:
    """The workers' end of the line to the shadow model's process."""

    version: str
    line: socket.socket
    metrics: Metrics
    is_gone: bool = False

    @classmethod
    def start(
        cls, path: Path, metrics: Metrics, row: int, listener: socket.socket, key: PublicKey | None = None
    ) -> "Shadow":
        """Fork the process, which counts in this row and closes the listener. Wait until its model is loaded."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if not os.fork():
            ours.close()
            listener.close()
            metrics.count_as(row)
            _run(path, theirs, metrics, key)
        theirs.close()
        is_loaded, _, text = (ours.recv(4096).decode() or "no Its process died.").partition(" ")
        if is_loaded != "yes":
            raise StartError(f"The shadow model cannot be used. {text}")
        ours.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        return cls(text, ours, metrics)

    def observe(self, images: Images, answer: Answer) -> None:
        """Send the images of a run unless the shadow is busy; an observer of `serving.queue.engine.Engine`."""
        message = msgspec.msgpack.encode((images.shape, _readings(answer.verdicts), images.tobytes()))
        try:
            self.line.send(message)
        except ConnectionError:
            if not self.is_gone:
                log.error("The shadow model's process has ended. Nothing is compared until the next start.")
            self.is_gone = True
            self.metrics.shadow_dropped.add("gone", amount=len(images))
        except OSError as error:
            reason = "too_large" if error.errno == errno.EMSGSIZE else "busy"
            self.metrics.shadow_dropped.add(reason, amount=len(images))


def _run(path: Path, line: socket.socket, metrics: Metrics, key: PublicKey | None) -> NoReturn:
    """Compare the images until all workers have ended."""
    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # it ends after the workers
        os.nice(LOWEST_PRIORITY)
        predictor = load_model(path, key)
        line.send(f"yes {predictor.card.version}".encode())
        while message := line.recv(2 * BUFFER_BYTES):
            shape, expected, pixels = msgspec.msgpack.decode(message, type=Message)
            started_s = time.perf_counter()
            verdicts = predictor.verdicts(predictor.run(np.frombuffer(pixels, np.uint8).reshape(shape)))
            metrics.shadow_run.observe(time.perf_counter() - started_s)
            for pair in zip(expected, _readings(verdicts), strict=True):
                metrics.shadow_images.add("same" if pair[0] == pair[1] else "other")
        code = 0
    except ModelError as error:
        line.send(f"no {error}".encode())
    except Exception:
        log.exception("The shadow model failed.")
    finally:
        os._exit(code)


def _readings(verdicts: list[Verdict]) -> list[tuple[State, int | None]]:
    return [(verdict.state, verdict.digit if verdict.state in READ else None) for verdict in verdicts]
