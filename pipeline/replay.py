"""Send MLflow the events that it missed while it did not respond, and end runs whose process was killed.

python -m pipeline.replay              for all runs below outputs/
python -m pipeline.replay DIRECTORY    for all runs below another directory
"""

import argparse
import logging
import sys
from pathlib import Path

from pipeline.base.paths import OUTPUTS
from pipeline.tracking.runs import replay


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("directory", nargs="?", type=Path, default=OUTPUTS)
    directory = parser.parse_args().directory
    if directory != OUTPUTS and not directory.is_dir():
        parser.error(f"{directory} is not a directory: name one that runs wrote to, or none for {OUTPUTS}")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    n_sent, n_left = replay(directory)
    print(f"MLflow now has {n_sent} runs that it had missed" if n_sent or n_left else "MLflow has missed nothing")
    if n_left:
        remedy = "start their stores, and run this again; if a store no longer exists, delete the files named above"
        sys.exit(f"error: {n_left} runs are not in MLflow: {remedy}")


if __name__ == "__main__":
    main()
