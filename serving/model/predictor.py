"""The model: loaded, checked, warmed and run. The only module of the service that knows onnxruntime."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime

from serving.errors import ModelError
from serving.model.card import INPUTS, OUTPUTS, ModelCard, Tensor, read_card, read_golden
from serving.model.decisions import STATES, State, rank

# Of a golden image's probability or score: machines differ in the seventh digit, and the file tells three.
GOLDEN_TOLERANCE = 5e-3

# onnxruntime keeps a plan of its memory for each shape of input that it has seen. A plan saves an MNIST image a seventh
# of its time, and takes some kB; from this number on, all are forgotten, or ever new sizes would fill the memory.
MAX_SHAPES = 1000

DATATYPES = {"tensor(uint8)": "UINT8", "tensor(float)": "FP32"}

# Height and width of the warm-up images: the smallest there is, an MNIST image, the page's canvas.
WARM_SIZES_PX = ((1, 1), (28, 28), (280, 280))


# A session keeps what memory a run took for the next one, 10 bytes a pixel; above this, it gives it back.
MAX_KEPT_PIXELS = 2**20
SHRINKING = onnxruntime.RunOptions()
SHRINKING.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")


@dataclass(frozen=True)
class Prediction:
    """What the model says about n images.

    Attributes:
        probabilities: float32 [n, 10], calibrated, each row adding up to 1: which digit it is, if it is one.
        digit_score: float32 [n] in 0..1, the learnt probability that the ink is one digit; exactly 0 for a blank image,
            and for no other.
        normalized: uint8 [n, 28, 28], what the network saw, 255 = ink.
        box: float32 [n, 4]: left, top, right, bottom of the ink in pixels; all 0 for a blank image.
    """

    probabilities: npt.NDArray[np.float32]
    digit_score: npt.NDArray[np.float32]
    normalized: npt.NDArray[np.uint8]
    box: npt.NDArray[np.float32]

    def part(self, start: int, end: int) -> "Prediction":
        """The images from `start` up to `end`."""
        return Prediction(
            self.probabilities[start:end], self.digit_score[start:end], self.normalized[start:end], self.box[start:end]
        )

    @classmethod
    def joined(cls, parts: "Sequence[Prediction]") -> "Prediction":
        """Several predictions as one, in their order."""
        return cls(*(np.concatenate([getattr(part, tensor.name) for part in parts]) for tensor in OUTPUTS))


class Verdict(NamedTuple):
    """What one image is, by the thresholds in the model file.

    Attributes:
        state: what the answer means.
        digit: the most probable, in 0..9, whatever the state.
        confidence: its probability.
        digit_score: as in `Prediction`.
    """

    state: State
    digit: int
    confidence: float
    digit_score: float


class Predictor:
    """A loaded model.

    Attributes:
        card: what the file says about itself.
        content: of the file.
        network_alone: the network without the steps before it, for `serving.api.network`; None if the file has none.
    """

    def __init__(self, session: onnxruntime.InferenceSession, content: bytes) -> None:
        """Made by `load`, of a session and the content of the file that it was made from.

        Raises:
            ModelError: signature or metadata are not what the service is written for.
        """
        self.card = _card(session, content)
        metadata = session.get_modelmeta().custom_metadata_map
        self._golden = read_golden(metadata)
        self.network_alone = metadata.get("network_alone")
        self.content = content
        self._session = session
        self._shapes: set[tuple[int, ...]] = set()
        self._input = INPUTS[0].name
        self._outputs = [tensor.name for tensor in OUTPUTS]

    @classmethod
    def load(cls, path: Path) -> "Predictor":
        """The model in a file, its signature and metadata checked.

        Raises:
            ModelError: the file cannot be read, or is not the model that the service is written for.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            text = f"The model file {path} cannot be read: {error.strerror}. Build it with `dvc repro` or name another."
            raise ModelError(text) from None
        try:
            session = open_session(content)
        except Exception as error:  # onnxruntime's exceptions share no base class of their own
            raise ModelError(f"The model file {path} is not a usable ONNX model: {_first_line(error)}") from None
        try:
            return cls(session, content)
        except ModelError as error:
            raise ModelError(f"The model file {path} is not a digits model: {error}.") from None

    def warm(self) -> None:
        """Runs once for each usual size, so that the first request is as fast as the others.

        Raises:
            ModelError: the model fails, or its answer has the wrong shape or is not finite.
        """
        for height, width in WARM_SIZES_PX:
            image = np.full((1, height, width), 255, np.uint8)
            image[:, height // 4 : height // 2, width // 2] = 0
            try:
                prediction = self.run(image)
            except Exception as error:
                raise ModelError(f"The model fails on {width} x {height} pixels: {_first_line(error)}") from None
            for tensor in OUTPUTS:
                values = getattr(prediction, tensor.name)
                if values.shape != (1, *tensor.shape[1:]) or not np.isfinite(values).all():
                    raise ModelError(f"The model's {tensor.name!r} is wrong: shape {values.shape}, or not finite.")

    def check(self) -> None:
        """Reads the golden images: this file, on this machine, must say of them what it said when it was made.

        Raises:
            ModelError: it says something else.
        """
        golden = self._golden
        prediction = self.run(golden.images)
        gaps = [
            float(np.abs(found - said).max())
            for found, said in (
                (prediction.probabilities, golden.probabilities),
                (prediction.digit_score, golden.digit_score),
            )
        ]
        states = [verdict.state for verdict in self.verdicts(prediction)]
        if states != golden.states or not all(gap <= GOLDEN_TOLERANCE for gap in gaps):
            raise ModelError(
                f"The model {self.card.version} fails its self-check: of its golden images it says something else here "
                f"than when it was made (probabilities by up to {gaps[0]:.3g}, scores by {gaps[1]:.3g}; "
                f"{GOLDEN_TOLERANCE} is allowed). The file is damaged, or this machine's onnxruntime."
            )

    def run(self, images: npt.NDArray[np.uint8]) -> Prediction:
        """Reads n images of one size.

        Args:
            images: uint8 [n, h, w], grey levels, dark on light or light on dark, any size from 1 x 1.
        """
        if images.shape not in self._shapes:
            if len(self._shapes) >= MAX_SHAPES:
                self._session = open_session(self.content)
                self._shapes.clear()
            self._shapes.add(images.shape)
        options = SHRINKING if images.size > MAX_KEPT_PIXELS else None
        return Prediction(*self._session.run(self._outputs, {self._input: images}, options))

    def verdicts(self, prediction: Prediction) -> list[Verdict]:
        """What each image of a prediction is."""
        digits = prediction.probabilities.argmax(axis=1).tolist()
        confidences = prediction.probabilities.max(axis=1).tolist()
        scores = prediction.digit_score.tolist()
        return [
            Verdict(self.state(score, confidence), digit, confidence, score)
            for digit, confidence, score in zip(digits, confidences, scores, strict=True)
        ]

    def state(self, digit_score: float, confidence: float) -> State:
        """Return the state of one answer, by the thresholds in the model file."""
        thresholds = self.card.thresholds
        position: int = rank(digit_score, confidence, thresholds.digit_score, thresholds.confidence)
        return STATES[position]


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    """A session on one thread, of a model file's content; onnxruntime raises what it likes where it is none."""
    return onnxruntime.InferenceSession(content, _options(), providers=["CPUExecutionProvider"])


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    # One thread: a run takes less than a millisecond, and onnxruntime's own pool spins, at 3 to 4 times the CPU.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3  # errors only
    return options


def _card(session: onnxruntime.InferenceSession, content: bytes) -> ModelCard:
    return read_card(
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        inputs=[_tensor(node) for node in session.get_inputs()],
        outputs=[_tensor(node) for node in session.get_outputs()],
        metadata=session.get_modelmeta().custom_metadata_map,
    )


def _tensor(node: onnxruntime.NodeArg) -> Tensor:
    shape = [length if isinstance(length, int) and length > 0 else -1 for length in node.shape]
    return Tensor(node.name, DATATYPES.get(node.type, node.type), shape)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
