"""The model file as every peer uses it: one thread, because each server has one core, and two outputs."""

import io
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession, SessionOptions
from PIL import Image

MODEL = Path(__file__).resolve().parents[3] / "models" / "digits.onnx"
OUTPUTS = ["probabilities", "digit_score"]


class Network:
    """The loaded model file. It has run once, as a warm-up."""

    def __init__(self) -> None:
        options = SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])
        self.run(np.zeros((1, 28, 28), np.uint8))

    def run(self, images: np.ndarray) -> list[np.ndarray]:
        """Run the model: uint8 ``[n, h, w]`` -> probabilities float32 ``[n, classes]``, digit score float32 ``[n]``."""
        return self._session.run(OUTPUTS, {"image": images})

    def read(self, images: np.ndarray) -> dict[str, list]:
        """Return the outputs as lists, for JSON."""
        return {name: values.tolist() for name, values in zip(OUTPUTS, self.run(images), strict=True)}


def grey(png: bytes) -> np.ndarray:
    """Return the grey levels of a PNG: uint8 ``[1, h, w]``."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"))[None]
