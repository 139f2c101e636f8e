"""POST /api/network: run the network without the preprocessing, and return the feature maps of its layers.

GET /api/kernel returns the kernel of one map.

The metadata of the model file contains a fragment of a graph. The bytes of the file followed by the fragment are a
second model, with the same weights, one more input and more outputs (see `pipeline.modelfile.subnetwork`). It runs in a
session of its own, so predictions do not become slower.
"""

from functools import lru_cache

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.api.bodies import check_type
from serving.api.messages import KernelAnswer, LayerMaps, NetworkAnswer, Reading
from serving.api.predict import SCORE_DECIMALS, reading
from serving.errors import BadRequestError, NotFoundError
from serving.http.compression import receive
from serving.http.responses import JSONResponse
from serving.http.timing import Timing
from serving.model.card import GOLDEN_SHAPE, INPUTS
from serving.model.predictor import SHRINKING, Prediction, Predictor, open_session
from serving.queue.engine import Images
from serving.service import Service

N_GRID_BYTES = GOLDEN_SHAPE[0] * GOLDEN_SHAPE[1]
MAX_GRIDS = 256

# Grids in one run: all at once would take four times the memory and no less time.
N_IN_BATCH = 64

MAX_DIGITS = 6  # of a channel's number

Maps = npt.NDArray[np.float32]


class _Layer(msgspec.Struct):
    name: str
    kind: str
    output: str
    # Only of convolutions that read the grid or the maps of one of the layers.
    kernels: str | None = None
    reads: str = ""
    stride: int = 1


class _Description(msgspec.Struct):
    input: str
    probabilities: str
    digit_score: str
    layers: list[_Layer]
    fragment: bytes  # base64 in JSON


class Network:
    """The network of a model, without the preprocessing before it."""

    def __init__(self, predictor: Predictor) -> None:
        """Build the network from the predictor's file and the description in its metadata."""
        self._description = msgspec.json.decode(predictor.subnetwork, type=_Description)
        self._session = open_session(predictor.content + self._description.fragment)
        # The original graph also needs its input. The smallest image costs almost nothing.
        self._unused = {INPUTS[0].name: np.zeros((1, 1, 1), np.uint8)}

    def read(self, grids: Images) -> Prediction:
        """Return probabilities and digit scores for grids uint8 [n, 28, 28], 255 = ink."""
        outputs = [self._description.probabilities, self._description.digit_score]
        batches = [grids[start : start + N_IN_BATCH] for start in range(0, len(grids), N_IN_BATCH)]
        found = (self._run(outputs, batch) for batch in batches)
        return Prediction.joined([Prediction(probabilities, scores) for probabilities, scores in found])

    def layers(self, grid: npt.NDArray[np.uint8]) -> list[LayerMaps]:
        """Return the feature maps of all layers for a grid uint8 [28, 28]."""
        layers = self._description.layers
        found = self._run([layer.output for layer in layers], grid[None])
        return [_maps(layer, maps[0]) for layer, maps in zip(layers, found, strict=True)]

    def kernel(self, name: str, channel: int, model_version: str) -> KernelAnswer:
        """Return the kernel of one map.

        Raises:
            BadRequestError: there is no such layer, or it has no such kernel.
        """
        layer = next((layer for layer in self._description.layers if layer.name == name), None)
        if layer is None or layer.kernels is None:
            convolutions = [layer.name for layer in self._description.layers if layer.kernels]
            raise BadRequestError(f"?layer= must be a convolution: one of {', '.join(convolutions)}.")
        [kernels] = self._run([layer.kernels], np.zeros((1, *GOLDEN_SHAPE), np.uint8))
        if channel >= len(kernels):
            raise BadRequestError(f"?channel= is too large: {name} has the channels 0 to {len(kernels) - 1}.")
        kernel = kernels[channel]
        n_maps, height, width = kernel.shape
        peak = float(np.abs(kernel).max())
        weights = np.rint(kernel * (127 / peak if peak else 0)).astype(np.int8).tobytes()
        return KernelAnswer(
            model_version, layer.reads, layer.stride, n_maps, height, width, round(peak, SCORE_DECIMALS), weights
        )

    def _run(self, outputs: list[str], grids: Images) -> list[Maps]:
        found: list[Maps] = self._session.run(outputs, {self._description.input: grids, **self._unused}, SHRINKING)
        return found


# Of the model in use. It is built at the first request.
network_of = lru_cache(maxsize=1)(Network)


def answer_grids(predictor: Predictor, grids: Images, with_layers: bool) -> NetworkAnswer:
    """Return the answer for grids uint8 [n, 28, 28]."""
    network = network_of(predictor)
    prediction = network.read(grids)
    answers = zip(predictor.verdicts(prediction), prediction.probabilities, strict=True)
    readings = [Reading(**reading(*answer)) for answer in answers]
    return NetworkAnswer(predictor.card.version, readings, network.layers(grids[0]) if with_layers else UNSET)


def _maps(layer: _Layer, maps: Maps) -> LayerMaps:
    """Scale a layer's maps, float32 [c, h, w], to bytes: 255 is the highest value of all maps, 0 is 0 or less."""
    n_maps, height, width = maps.shape
    peak = max(0.0, float(maps.max()))
    levels = np.rint(maps.clip(0) * (255 / peak if peak else 0)).astype(np.uint8)
    return LayerMaps(layer.name, layer.kind, (height, width, n_maps), round(peak, SCORE_DECIMALS), levels.tobytes())


def _model(request: Request) -> Predictor:
    predictor = Service.of(request).engine.model
    if not predictor.subnetwork:
        raise NotFoundError("The model file lacks the metadata 'network_alone', so only its whole graph can be run.")
    return predictor


async def kernel(request: Request) -> Response:
    """Return the kernel of the map that the query names."""
    predictor = _model(request)
    name, channel = (request.query_params.get(key, "") for key in ("layer", "channel"))
    if not (channel.isascii() and channel.isdigit() and len(channel) <= MAX_DIGITS):
        raise BadRequestError("?channel= must be the number of a map, from 0 on.")

    def find() -> KernelAnswer:
        return network_of(predictor).kernel(name, int(channel), predictor.card.version)

    return JSONResponse(await Service.of(request).engine.large.run(find))


async def network(request: Request) -> Response:
    """Answer the grids in the body."""
    engine = Service.of(request).engine
    timing: Timing = request.scope["timing"]
    predictor = _model(request)
    layers = request.query_params.get("layers", "false")
    if layers not in ("true", "false"):
        raise BadRequestError("?layers= must be true or false.")
    check_type(request, "application/octet-stream")
    data = await receive(request, MAX_GRIDS * N_GRID_BYTES)
    answer = await engine.large.run(answer_grids, predictor, _grids(data), layers == "true")
    timing.lap("network")
    return JSONResponse(answer)


def _grids(data: bytes) -> Images:
    height, width = GOLDEN_SHAPE
    if not data or len(data) % N_GRID_BYTES:
        raise BadRequestError(
            f"The body has {len(data)} bytes. Send 1 to {MAX_GRIDS} grids of {height} x {width}: a multiple of "
            f"{N_GRID_BYTES} bytes, 255 = ink."
        )
    return np.frombuffer(data, np.uint8).reshape(-1, height, width)


routes = [Route("/network", network, methods=["POST"]), Route("/kernel", kernel, methods=["GET"])]
