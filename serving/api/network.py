"""POST /api/network: run the network without the preprocessing, and return the feature maps of its layers.

The metadata of the model file contains a fragment of a graph. The bytes of the file followed by the fragment are a
second model, with the same weights, one more input and more outputs (see `pipeline.modelfile.subnetwork`). It runs in a
session of its own, so predictions do not become slower.
"""

import base64
import json
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.api.bodies import receive_as
from serving.api.predict import SCORE_DECIMALS
from serving.errors import BadRequestError, ModelError
from serving.http.compression import inflated
from serving.http.responses import JSONResponse
from serving.http.timing import Timing
from serving.model.card import GOLDEN_SHAPE
from serving.model.decisions import READ
from serving.model.predictor import SHRINKING, Predictor, open_session
from serving.queue.engine import Images
from serving.service import Service

N_GRID_BYTES = GOLDEN_SHAPE[0] * GOLDEN_SHAPE[1]
MAX_GRIDS = 256

# Grids in one run: all at once would take four times the memory and no less time.
N_IN_BATCH = 64

Maps = npt.NDArray[np.float32]


class Network:
    """The network of a model, without the preprocessing before it."""

    def __init__(self, predictor: Predictor) -> None:
        """Build the network from the predictor's file and the description in its metadata.

        Raises:
            ModelError: the description is missing or unusable.
        """
        try:
            description = json.loads(predictor.subnetwork)
            self._input = str(description["input"])
            self._scores = [str(description["probabilities"]), str(description["digit_score"])]
            self._layers = [
                (str(layer["name"]), str(layer["kind"]), str(layer["output"])) for layer in description["layers"]
            ]
            self._session = open_session(predictor.content + base64.b64decode(description["fragment"], validate=True))
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise ModelError("The model file's metadata 'network_alone' cannot be used.") from error
        # The original graph also needs its input. The smallest image costs almost nothing.
        self._unused = {
            node.name: np.zeros((1, 1, 1), np.uint8) for node in self._session.get_inputs() if node.name != self._input
        }

    def read(self, grids: Images) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return probabilities [n, classes] and digit scores [n], float32, for grids uint8 [n, 28, 28], 255 = ink."""
        parts = [
            self._run(self._scores, grids[start : start + N_IN_BATCH]) for start in range(0, len(grids), N_IN_BATCH)
        ]
        probabilities, digit_score = (np.concatenate(of_all) for of_all in zip(*parts, strict=True))
        return probabilities, digit_score

    def maps(self, grid: npt.NDArray[np.uint8]) -> list[tuple[str, str, Maps]]:
        """Return name, kind and feature maps float32 [c, h, w] of the layers, for a grid uint8 [28, 28]."""
        found = self._run([output for _, _, output in self._layers], grid[None])
        return [(name, kind, maps[0]) for (name, kind, _), maps in zip(self._layers, found, strict=True)]

    def _run(self, outputs: list[str], grids: Images) -> list[npt.NDArray[np.float32]]:
        found: list[npt.NDArray[np.float32]] = self._session.run(
            outputs, {self._input: grids, **self._unused}, SHRINKING
        )
        return found


class Networks:
    """A cache with the network of each model in use, built at its first request."""

    def __init__(self) -> None:
        self._made: WeakKeyDictionary[Predictor, Network] = WeakKeyDictionary()

    def document(self, predictor: Predictor, grids: Images, with_layers: bool) -> dict[str, Any]:
        """Return the JSON answer for grids uint8 [n, 28, 28]. Not thread-safe."""
        network = self._made.get(predictor)
        if network is None:
            network = self._made[predictor] = Network(predictor)
        answers = [_answer(predictor, *scores) for scores in zip(*network.read(grids), strict=True)]
        layers = {"layers": [_layer(*found) for found in network.maps(grids[0])]} if with_layers else {}
        return {"model_version": predictor.card.version, "answers": answers, **layers}


NETWORKS = Networks()


def _answer(predictor: Predictor, probabilities: npt.NDArray[np.float32], digit_score: np.float32) -> dict[str, Any]:
    """Return one grid's answer in the format of POST /api/predict."""
    digit = int(probabilities.argmax())
    # Uses the exact values, because a score that is only rounded to 0 still means ink.
    state = predictor.state(float(digit_score), float(probabilities[digit]))
    rounded = probabilities.astype(np.float64).round(SCORE_DECIMALS).tolist()
    return {
        "state": state,
        "digit": digit if state in READ else None,
        "confidence": rounded[digit] if state in READ else None,
        "probabilities": rounded,
        "digit_score": round(float(digit_score), SCORE_DECIMALS),
    }


def _layer(name: str, kind: str, maps: Maps) -> dict[str, Any]:
    """Scale a layer's maps to bytes: 255 is the highest value of all maps, 0 is 0 or less."""
    channels, height, width = maps.shape
    peak = max(0.0, float(maps.max()))
    levels = np.rint(maps.clip(0) * (255 / peak if peak else 0)).astype(np.uint8)
    return {
        "name": name,
        "kind": kind,
        "shape": [height, width, channels],
        "peak": round(peak, SCORE_DECIMALS),
        "maps": base64.b64encode(levels.tobytes()).decode("ascii"),
    }


async def network(request: Request) -> Response:
    """Answer the grids in the body."""
    engine, settings = Service.of(request).engine, Service.of(request).settings
    timing: Timing = request.scope["timing"]
    predictor = engine.model
    layers = request.query_params.get("layers", "false")
    if layers not in ("true", "false"):
        raise BadRequestError("?layers= must be true or false.")
    body = await receive_as("application/octet-stream", request)
    timing.start()
    data = await inflated(engine, body.data, body.coding, min(settings.max_body_bytes, MAX_GRIDS * N_GRID_BYTES))
    document = await engine.large.run(NETWORKS.document, predictor, _grids(data), layers == "true")
    timing.lap("network")
    return JSONResponse(document)


def _grids(data: bytes) -> Images:
    n_grids, rest = divmod(len(data), N_GRID_BYTES)
    if rest or not 1 <= n_grids <= MAX_GRIDS:
        height, width = GOLDEN_SHAPE
        raise BadRequestError(
            f"The body has {len(data)} bytes. Send 1 to {MAX_GRIDS} grids of {height} x {width}: a multiple of "
            f"{N_GRID_BYTES} bytes, 255 = ink."
        )
    return np.frombuffer(data, np.uint8).reshape(n_grids, *GOLDEN_SHAPE)


routes = [Route("/network", network, methods=["POST"])]
