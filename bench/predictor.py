"""Time the model file on one thread, for pictures of several sizes.

python -m bench.predictor [--runs 300]
"""

import argparse
import time

import numpy as np

from pipeline.registry.latency import draw_one
from serving.model.predictor import Predictor
from serving.settings import Settings

SIDES_PX = (28, 140, 280, 560, 1023, 1024)


def main() -> None:
    """Print the median and the fastest run of each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300, help="timed runs for each size")
    n_runs = parser.parse_args().runs
    predictor = Predictor.load(Settings().model)
    print(f"{'side, px':>8} {'median, us':>11} {'fastest, us':>12}")
    for side in SIDES_PX:
        image = draw_one(side)
        predictor.run(image)
        seconds = []
        for _ in range(n_runs):
            started = time.perf_counter()
            predictor.run(image)
            seconds.append(time.perf_counter() - started)
        print(f"{side:>8} {1e6 * np.median(seconds):>11.0f} {1e6 * min(seconds):>12.0f}")


if __name__ == "__main__":
    main()
