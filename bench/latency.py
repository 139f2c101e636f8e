"""How long the model file takes, against the same graph with the reference's network in it, on one thread.

python -m bench.latency [--runs 500]

The files differ in the network alone: normaliser, outputs and converter are the same. They run in turn, in pairs, so
that both see the same machine; the order within the pair changes from one to the next.
"""

import argparse
import time

import numpy as np
from onnxruntime import InferenceSession, SessionOptions

from bench import RESULTS, origin
from bench.predictor import one
from bench.reference import reference_network
from pipeline.calibration import Calibration
from pipeline.config import load_config
from pipeline.data import write_json
from pipeline.model import N_OUTPUTS
from pipeline.onnx_graph import convert
from pipeline.paths import Outputs
from pipeline.reader import Reader
from pipeline.runtime import use_float32

SIDES_PX = (28, 280)  # an MNIST image, the page's canvas
N_WARM_UP = 20  # pairs


def reference_file(opset: int) -> bytes:
    """Our graph with the reference's network in it, as ONNX; not trained, which changes nothing about its time."""
    use_float32()
    reader = Reader(reference_network(N_OUTPUTS), Calibration(temperature=1.5, thresholds={}))
    return convert(reader, opset, {}).SerializeToString()


def open_session(model: bytes) -> InferenceSession:
    """A model file on one thread, as the service runs it."""
    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return InferenceSession(model, options, providers=["CPUExecutionProvider"])


def time_pairs(sessions: dict[str, InferenceSession], image: np.ndarray, n_runs: int) -> dict[str, np.ndarray]:
    """Microseconds of each run: float64 ``[n_runs]`` by name; those of equal index ran one after the other."""
    times: dict[str, list[float]] = {name: [] for name in sessions}
    for number in range(N_WARM_UP + n_runs):
        for name in list(sessions)[:: 1 if number % 2 else -1]:
            started = time.perf_counter()
            sessions[name].run(None, {"image": image})
            times[name].append(1e6 * (time.perf_counter() - started))
    return {name: np.array(values[N_WARM_UP:]) for name, values in times.items()}


def summarize(times: dict[str, np.ndarray]) -> dict[str, float]:
    """Median and fastest run of each, and ours to the reference's: median over the pairs, ratio of the fastest.

    Args:
        times: as `time_pairs` gives them, of "ours" and "reference".
    """
    figures = {}
    for name, values in times.items():
        figures[f"{name}_median_us"] = round(float(np.median(values)), 1)
        figures[f"{name}_fastest_us"] = round(float(values.min()), 1)
    own, other = times["ours"], times["reference"]
    figures["ratio_median"] = round(float(np.median(own / other)), 4)
    figures["ratio_fastest"] = round(float(own.min() / other.min()), 4)
    return figures


def main() -> None:
    """Print the figures for each size, write bench/results/latency.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500, help="timed pairs for each size")
    n_runs = parser.parse_args().runs
    config = load_config()
    files = {"ours": Outputs().model.read_bytes(), "reference": reference_file(config.export.opset)}
    sessions = {name: open_session(file) for name, file in files.items()}
    results = {f"{side}_px": summarize(time_pairs(sessions, one(side), n_runs)) for side in SIDES_PX}
    write_json(RESULTS / "latency.json", origin(config) | results)
    for size, figures in results.items():
        print(size)
        for name, value in figures.items():
            print(f"  {name:<21} {value:>8}")


if __name__ == "__main__":
    main()
