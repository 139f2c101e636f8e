"""Load, check, warm up and run a model. Only this module imports onnxruntime."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime

from serving.errors import ModelError
from serving.model.card import FEATURES, INPUTS, OUTPUTS, Tensor, read_card, read_golden
from serving.model.decisions import STATES, State, rank

# Tolerance for the golden answers. Machines differ in the seventh decimal, and the file has three.
GOLDEN_TOLERANCE = 5e-3

# onnxruntime keeps a memory plan of some kB for each input shape, which saves a seventh of the time of an MNIST image.
# Above this number all plans are dropped, because new shapes would fill the memory.
MAX_SHAPES = 1000

DATATYPES = {"tensor(uint8)": "UINT8", "tensor(float)": "FP32"}
DTYPES = {"UINT8": "uint8", "FP32": "float32"}

# Number, height and width of the warm-up images: the smallest size, an MNIST image, the page's canvas, and a batch.
WARM_SHAPES = ((1, 1, 1), (1, 28, 28), (1, 280, 280), (2, 28, 28))

# A session keeps the memory of a run, 10 bytes a pixel, for the next one. Above this limit it frees the memory.
MAX_KEPT_PIXELS = 2**20
# Without options, each run would make its own, which takes 2 % of the time of an MNIST image.
USUAL = onnxruntime.RunOptions()
SHRINKING = onnxruntime.RunOptions()
SHRINKING.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")


@dataclass(frozen=True)
class Prediction:
    """Model outputs for a batch of n images.

    Attributes:
        probabilities: float32 [n, classes], calibrated; each row adds up to 1.
        digit_score: float32 [n] in 0..1, the learnt probability that the ink is one digit; exactly 0 only for a blank
            image.
        normalized: uint8 [n, 28, 28], the input of the network, 255 = ink; None if the model lacks this output.
        box: float32 [n, 4]: left, top, right, bottom of the ink in pixels, all 0 for a blank image; None likewise.
        features: float32 [n, m], a unit vector: what the last layer of the network reads; all 0 for a blank image; None
            likewise, or if they were not asked for.
    """

    probabilities: npt.NDArray[np.float32]
    digit_score: npt.NDArray[np.float32]
    normalized: npt.NDArray[np.uint8] | None = None
    box: npt.NDArray[np.float32] | None = None
    features: npt.NDArray[np.float32] | None = None

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the outputs that are not None, by name."""
        return {name: values for name, values in vars(self).items() if values is not None}

    def part(self, start: int, end: int) -> "Prediction":
        """Return the outputs for the images from `start` to `end`, exclusive."""
        return Prediction(**{name: values[start:end] for name, values in self.arrays().items()})

    @classmethod
    def joined(cls, parts: "Sequence[Prediction]") -> "Prediction":
        """Concatenate predictions of one model."""
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in parts[0].arrays()})


class Verdict(NamedTuple):
    """The answer for one image."""

    state: State  # by the thresholds in the model file
    digit: int  # index of the most probable class, in any state
    confidence: float  # its probability
    digit_score: float


class Predictor:
    """A loaded model.

    Attributes:
        card: metadata of the file.
        content: bytes of the file.
        subnetwork: the network without the preprocessing, as JSON for `serving.api.network`; empty if there is none.
    """

    def __init__(self, session: onnxruntime.InferenceSession, content: bytes) -> None:
        """Check the metadata of a model file. `session` must be created from `content`, the bytes of the file."""
        metadata = session.get_modelmeta().custom_metadata_map
        self.card = read_card(
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            inputs=[_tensor(node) for node in session.get_inputs()],
            outputs=[_tensor(node) for node in session.get_outputs()],
            metadata=metadata,
        )
        self._golden = read_golden(metadata, len(self.card.classes))
        self.subnetwork = metadata.get("network_alone", "")
        self.content = content
        self._session = session
        self._shapes: set[tuple[int, ...]] = set()
        self._input = INPUTS[0].name
        self._all_outputs = [tensor.name for tensor in self.card.outputs]
        self._outputs = [name for name in self._all_outputs if name != FEATURES]

    @classmethod
    def load(cls, path: Path) -> "Predictor":
        """Load a model file, warm up the model and run its self-check."""
        try:
            content = path.read_bytes()
        except OSError as error:
            text = f"The model file {path} cannot be read: {error.strerror}. Build it with `dvc repro` or name another."
            raise ModelError(text) from None
        return cls.of(content, path)

    @classmethod
    def of(cls, content: bytes, path: Path) -> "Predictor":
        """Load the model with this content, like `load`. The path is for the error message."""
        try:
            predictor = cls(open_session(content), content)
            predictor.warm()
            predictor.check()
        except Exception as error:  # onnxruntime's exceptions share no base class; a bad file must not stop the service
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:500]
            raise ModelError(f"The model file {path} is not usable: {reason}") from error
        return predictor

    def warm(self) -> None:
        """Run the model on images of each usual shape, so that the first request is as fast as the others.

        Raises:
            ModelError: an output differs from the signature.
        """
        lengths = {tensor.name: tensor.shape[1:] for tensor in OUTPUTS} | {OUTPUTS[0].name: [len(self.card.classes)]}
        lengths |= {tensor.name: tensor.shape[1:] for tensor in self.card.outputs if tensor.name == FEATURES}
        for shape in WARM_SHAPES:
            images = np.full(shape, 255, np.uint8)
            images[:, shape[1] // 4 : shape[1] // 2, shape[2] // 2] = 0
            prediction = self.run(images, with_features=True)
            for tensor in OUTPUTS:
                values = getattr(prediction, tensor.name)
                if values is None:
                    continue
                found, expected = (
                    (str(values.dtype), *values.shape),
                    (DTYPES[tensor.datatype], shape[0], *lengths[tensor.name]),
                )
                if found != expected or not np.isfinite(values).all():
                    raise ModelError(f"its output {tensor.name!r} is {found} instead of {expected}, or not finite.")

    def check(self) -> None:
        """Compare the answers for the golden images with those in the file, if it has any."""
        if not self._golden:
            return
        images, outputs, states = self._golden
        prediction = self.run(images)
        gaps = [float(np.abs(getattr(prediction, name) - values).max()) for name, values in outputs.items()]
        found = [verdict.state for verdict in self.verdicts(prediction)]
        if found != states or not all(gap <= GOLDEN_TOLERANCE for gap in gaps):
            raise ModelError(
                "it fails its self-check: its answers for the golden images differ from "
                f"those in the file (probabilities by up to {gaps[0]:.3g}, scores by {gaps[1]:.3g}; "
                f"{GOLDEN_TOLERANCE} is allowed). The file or this machine's onnxruntime is damaged."
            )

    def run(self, images: npt.NDArray[np.uint8], with_features: bool = False) -> Prediction:
        """Run the model on n images of one size.

        Args:
            images: uint8 [n, h, w], grey levels, dark on light or light on dark, any size from 1 x 1.
            with_features: also return `features`, if the model has them.
        """
        if images.shape not in self._shapes:
            if len(self._shapes) >= MAX_SHAPES:
                self._session = open_session(self.content)
                self._shapes.clear()
            self._shapes.add(images.shape)
        options = SHRINKING if images.size > MAX_KEPT_PIXELS else USUAL
        names = self._all_outputs if with_features else self._outputs
        found = self._session.run(names, {self._input: images}, options)
        return Prediction(**dict(zip(names, found, strict=True)))

    def verdicts(self, prediction: Prediction) -> list[Verdict]:
        """Return the verdict for each image of a prediction."""
        digits = prediction.probabilities.argmax(axis=1).tolist()
        confidences = prediction.probabilities.max(axis=1).tolist()
        scores = prediction.digit_score.tolist()
        limits = self.card.thresholds
        return [
            Verdict(STATES[rank(score, confidence, limits.digit_score, limits.confidence)], digit, confidence, score)
            for digit, confidence, score in zip(digits, confidences, scores, strict=True)
        ]


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    """Create a session with one thread. If the content is not a model, onnxruntime raises one of many types."""
    options = onnxruntime.SessionOptions()
    # One thread: a run takes less than a millisecond, and the spinning thread pool would take 3 to 4 times the CPU.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _tensor(node: onnxruntime.NodeArg) -> Tensor:
    shape = [length if isinstance(length, int) and length > 0 else -1 for length in node.shape]
    return Tensor(node.name, DATATYPES.get(node.type, node.type), shape)
