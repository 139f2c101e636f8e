"""The command line of the stages."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from pipeline.base.errors import InklingError, OutputError
from pipeline.base.paths import ROOT
from pipeline.config.schema import Config
from pipeline.config.values import load_config

running = ExitStack()  # a sweep adds its run here


def run_stage(work: Callable[[Config], None]) -> None:
    """Run a stage with the values of params.yaml."""
    if {"-h", "--help"} & {*sys.argv[1:]}:
        print(sys.modules["__main__"].__doc__)
        return
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with exit_with_signal_status():
        if len(sys.argv) > 1:
            raise InklingError(
                "DVC tracks the outputs of this stage, so it uses the values of params.yaml; to try others:\n"
                f"  dvc exp run {' '.join(f'-S {override}' for override in sys.argv[1:])}"
            )
        work(load_config())


@contextmanager
def exit_with_signal_status() -> Iterator[None]:
    """Handle SIGTERM like Ctrl+C, so that open runs are closed, and report an InklingError without a traceback."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if not os.access(ROOT, os.W_OK):  # also for root, if the file system is read-only
            raise OutputError(f"can't write in {ROOT}: make it writable, or use another clone")
        with running:
            yield
    except InklingError as error:
        sys.exit(f"error: {error}")
