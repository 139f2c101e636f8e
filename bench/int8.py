"""Compare the time and the answers of the model file with those of a version that has 8-bit convolutions.

python -m bench.int8 [--runs 500]

onnxruntime quantises the convolutions and the operations between them statically; the normaliser does not change. The
weights have 7 bits, so that no sum overflows on processors without VNNI. Some of the embedded images determine the
ranges, and the answers for the others are compared. They are MNIST training images, so accuracy is not measured.
"""

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from bench import begin, embedded_images
from bench.latency import open_session, runner
from pipeline.base.markdown import table
from pipeline.base.paths import Outputs
from pipeline.registry.latency import draw_one, time_pairs

N_CALIBRATION = 500
BATCH = 100
N_TOGETHER = (1, 16, 64)  # images in a run: one request, a full batch, and more
SIDE_PX = 28


class _Images(CalibrationDataReader):
    """Batches for the quantiser."""

    def __init__(self, images: np.ndarray) -> None:
        self._batches: Iterator[np.ndarray] = iter(np.array_split(images, len(images) // BATCH))

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next batch, None after the last."""
        batch = next(self._batches, None)
        return None if batch is None else {"image": batch}


def quantize(file: Path, images: np.ndarray) -> bytes:
    """Return a model file with 8-bit convolutions.

    Args:
        file: the model.
        images: uint8 ``[n, h, w]``, to determine the ranges of the activations.
    """
    graph = onnx.load(file).graph
    made_by_convolution = {name for node in graph.node if node.op_type == "Conv" for name in node.output}
    names = [
        node.name
        for node in graph.node
        if node.op_type in ("Conv", "MaxPool") or (node.op_type == "Relu" and node.input[0] in made_by_convolution)
    ]
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "int8.onnx"
        quantize_static(
            file,
            target,
            _Images(images),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            nodes_to_quantize=names,
        )
        return target.read_bytes()


def compare_answers(probabilities: np.ndarray, others: np.ndarray) -> dict[str, Any]:
    """Return the number of changed classes and the largest change of a probability."""
    return {
        "images": len(probabilities),
        "classes_changed": int((probabilities.argmax(axis=1) != others.argmax(axis=1)).sum()),
        "largest_difference": round(float(np.abs(probabilities - others).max()), 4),
    }


def section(results: Mapping[str, Any]) -> str:
    """Return the section of docs/measurements.md."""
    rows = [
        (n_images, f"{figures['float32_us']:.0f}", f"{figures['int8_us']:.0f}", f"{figures['ratio']:.2f}")
        for n_images, figures in results["runs"].items()
    ]
    answers, size = results["answers"], {name: f"{n_bytes / 1000:.0f}" for name, n_bytes in results["bytes"].items()}
    return (
        f"## What 8-bit convolutions would bring\n\n`{results['origin']['command']}`. The model file, and the same "
        f"with its convolutions quantised: {size['float32']} and {size['int8']} kB. Of {answers['images']:,} of "
        f"MNIST's training images {answers['classes_changed']} get another class, and a probability changes by up to "
        f"{answers['largest_difference']:.2g}. Microseconds an image, 28x28, on one thread, in pairs:\n\n"
        + table(("images in a run", "as it is", "8 bits", "ratio"), rows)
    )


def main() -> None:
    """Print the figures, and write bench/results/int8.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500, help="timed pairs")
    n_runs = parser.parse_args().runs
    save = begin("int8")
    images = np.random.default_rng(0).permutation(embedded_images().images)
    file = Outputs().model
    content = quantize(file, images[:N_CALIBRATION])
    sessions = {"float32": open_session(file.read_bytes()), "int8": open_session(content)}
    runs = {name: runner(session) for name, session in sessions.items()}
    results: dict[str, Any] = {"bytes": {"float32": file.stat().st_size, "int8": len(content)}, "runs": {}}
    for n_images in N_TOGETHER:
        times = time_pairs(runs, np.repeat(draw_one(SIDE_PX), n_images, axis=0), n_runs)
        results["runs"][str(n_images)] = {
            "float32_us": round(float(np.median(times["float32"])) / n_images, 1),
            "int8_us": round(float(np.median(times["int8"])) / n_images, 1),
            "ratio": round(float(np.median(times["int8"] / times["float32"])), 3),
        }
    rest = np.array_split(images[N_CALIBRATION:], (len(images) - N_CALIBRATION) // BATCH)
    answers = {
        name: np.concatenate([session.run(["probabilities"], {"image": batch})[0] for batch in rest])
        for name, session in sessions.items()
    }
    results["answers"] = compare_answers(answers["float32"], answers["int8"])
    save(results)
    print(results)


if __name__ == "__main__":
    main()
