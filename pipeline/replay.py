"""Tell MLflow what it missed while it did not answer, and the end of runs whose process was killed.

python -m pipeline.replay              of every run below outputs/
python -m pipeline.replay DIRECTORY    of those below another directory
"""

import argparse
import logging
import sys
from pathlib import Path

from pipeline.base.paths import OUTPUTS


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", type=Path, help="where the runs lie; outputs/ if none is named")
    directory = parser.parse_args().directory
    if directory and not directory.is_dir():
        parser.error(f"{directory} is no directory: name one that runs wrote to, or none for {OUTPUTS}")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    from pipeline.tracking import runs

    n_sent, n_left = runs.replay(directory or OUTPUTS)
    # Each at the store that it was meant for.
    if n_sent or not n_left:
        print(f"MLflow was told of {n_sent} runs that it had missed" if n_sent else "MLflow has missed nothing")
    if n_left:
        sys.exit(
            f"error: MLflow was not told of {n_left} runs: see to it that their stores answer, and run this again; "
            "if a store is gone for good, the files named above can be deleted"
        )


if __name__ == "__main__":
    main()
