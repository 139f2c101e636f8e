"""Send events to MLflow that it missed while it did not answer, and end runs whose process was killed.

python -m pipeline.replay              of all runs below outputs/
python -m pipeline.replay DIRECTORY    of all runs below another directory
"""

import argparse
import logging
import sys
from pathlib import Path

from pipeline.base.paths import OUTPUTS


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", type=Path, help="of the runs; the default is outputs/")
    directory = parser.parse_args().directory
    if directory and not directory.is_dir():
        parser.error(f"{directory} is not a directory: name one that runs wrote to, or none for {OUTPUTS}")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    from pipeline.tracking import runs

    n_sent, n_left = runs.replay(directory or OUTPUTS)
    if n_left:
        print(f"MLflow now has {n_sent} runs that it had missed")
        sys.exit(
            f"error: {n_left} runs are not in MLflow: start their stores, and run this again; "
            "if a store no longer exists, delete the files named above"
        )
    print(f"MLflow now has {n_sent} runs that it had missed" if n_sent else "MLflow has missed nothing")


if __name__ == "__main__":
    main()
