"""The command line of every stage, and of a training."""

import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from pipeline.base.errors import InklingError
from pipeline.config.schema import Config
from pipeline.config.values import load_config


def run_stage(work: Callable[[Config], None]) -> None:
    """Run a stage as DVC does, with the values of params.yaml."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        if len(sys.argv) > 1:
            raise InklingError(
                "DVC tracks what this stage writes, so it takes its values from params.yaml alone; to try others:\n"
                f"  dvc exp run {' '.join(f'-S {override}' for override in sys.argv[1:])}"
            )
        work(load_config())
    except InklingError as error:
        sys.exit(f"error: {error}")


running = ExitStack()


@contextmanager
def exit_with_signal_status() -> Iterator[None]:
    """End the sweep's run, if there is one, as what comes out of this context; SIGTERM comes out like Ctrl+C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with running:
        yield
