"""The model file as every peer uses it: one thread, because each server has one core, and two outputs."""

import io
import os

import numpy as np
from onnxruntime import InferenceSession, SessionOptions
from PIL import Image

OUTPUTS = ["probabilities", "digit_score"]

# Adaptive batching, for the peers that have it: the largest batch as in the service, and the longest wait to fill it.
IS_BATCHING = "BATCHING" in os.environ
MAX_BATCH, MAX_WAIT_S = 16, 0.005


class Network:
    """The loaded model file. It has run once, as a warm-up."""

    def __init__(self) -> None:
        options = SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        model = os.environ["INKLING_MODEL"]  # set by `python -m bench.peers`
        self._session = InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.run(np.zeros((1, 28, 28), np.uint8))

    def run(self, images: np.ndarray) -> list[np.ndarray]:
        """Run the model: uint8 ``[n, h, w]`` -> probabilities float32 ``[n, classes]``, digit score float32 ``[n]``."""
        return self._session.run(OUTPUTS, {"image": images})

    def read(self, images: np.ndarray) -> dict[str, list]:
        """Return the outputs as lists, for JSON."""
        return {name: values.tolist() for name, values in zip(OUTPUTS, self.run(images), strict=True)}

    def read_batch(self, requests: list[np.ndarray]) -> list[dict[str, list]]:
        """Run the model once for the images of several requests, and return the outputs of each."""
        ends = np.cumsum([len(images) for images in requests])[:-1]
        parts = [np.split(values, ends) for values in self.run(np.concatenate(requests))]
        return [
            {name: values.tolist() for name, values in zip(OUTPUTS, one, strict=True)}
            for one in zip(*parts, strict=True)
        ]


def grey(png: bytes) -> np.ndarray:
    """Return the grey levels of a PNG: uint8 ``[1, h, w]``."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"))[None]
