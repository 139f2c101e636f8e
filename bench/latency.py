"""Compare the time of the model file, on one thread, with the same graph around the network seed_vision.

python -m bench.latency [--runs 500]

The files differ only in the network. They run in pairs, in alternating order, so that both see the same load.
"""

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np
from onnxruntime import InferenceSession, SessionOptions

from bench import begin
from pipeline.base.markdown import table
from pipeline.base.paths import Outputs
from pipeline.config.values import load_config
from pipeline.modelfile.onnx_graph import convert
from pipeline.network.calibration import Calibration
from pipeline.network.networks import build_network
from pipeline.reader.model import Reader
from pipeline.registry.latency import Run, draw_one, time_pairs
from pipeline.runtime.mode import use_float32

# An MNIST image, the page's canvas, and the largest picture that the service gives to the model, with one pixel more.
SIDES_PX = (28, 280, 1023, 1024)


def reference_file(opset: int) -> bytes:
    """Return our graph with the reference network as ONNX. The network is untrained, which does not change the time."""
    use_float32()
    network = build_network(load_config(["model=seed_vision"]).model)
    reader = Reader(network, Calibration(temperature=1.5, thresholds={}))
    return convert(reader, opset, {}).SerializeToString()


def open_session(model: bytes) -> InferenceSession:
    """Open a model file on one thread, as the service does."""
    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return InferenceSession(model, options, providers=["CPUExecutionProvider"])


def runner(session: InferenceSession) -> Run:
    """Return a function that `time_pairs` can time."""
    return lambda image: session.run(None, {"image": image})


def summarize(times: dict[str, np.ndarray]) -> dict[str, float]:
    """Return the median and the fastest run of each file, and the ratios of our times to the reference.

    Args:
        times: result of `time_pairs` for "ours" and "reference".
    """
    figures = {}
    for name, values in times.items():
        figures[f"{name}_median_us"] = round(float(np.median(values)), 1)
        figures[f"{name}_fastest_us"] = round(float(values.min()), 1)
    own, other = times["ours"], times["reference"]
    figures["ratio_median"] = round(float(np.median(own / other)), 4)
    figures["ratio_fastest"] = round(float(own.min() / other.min()), 4)
    return figures


def section(results: Mapping[str, Any]) -> str:
    """Return the section of docs/measurements.md."""
    kinds = [f"{name}_{kind}_us" for name in ("ours", "reference") for kind in ("median", "fastest")]
    rows = [
        (size.replace("_", " "), *(f"{figures[kind]:.0f}" for kind in kinds), f"{figures['ratio_median']:.2f}")
        for size, figures in results.items()
        if size.endswith("_px")
    ]
    return (
        f"## Latency of the whole file\n\n`{results['origin']['command']}`. One run on one thread, microseconds; the "
        "reference's network in the same graph, with the same normaliser and outputs, in pairs.\n\n"
        + table(("picture", "ours, median", "fastest", "reference, median", "fastest", "ratio"), rows)
    )


def main() -> None:
    """Print the figures for each size, and write bench/results/latency.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500, help="timed pairs for each size")
    n_runs = parser.parse_args().runs
    save, config = begin("latency"), load_config()
    files = {"ours": Outputs().model.read_bytes(), "reference": reference_file(config.export.opset)}
    runs = {name: runner(open_session(file)) for name, file in files.items()}
    results = {f"{side}_px": summarize(time_pairs(runs, draw_one(side), n_runs)) for side in SIDES_PX}
    save(results)
    for size, figures in results.items():
        print(size)
        for name, value in figures.items():
            print(f"  {name:<21} {value:>8}")


if __name__ == "__main__":
    main()
