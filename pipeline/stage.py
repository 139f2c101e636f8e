"""What the command line of every stage does: take the parameters, do the work, say in one line what a user can mend."""

import logging
import sys
from collections.abc import Callable

from pipeline.config import Config, load_config
from pipeline.errors import InklingError


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
