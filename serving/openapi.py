"""The OpenAPI 3.1 document at /openapi.json, which the page at /docs shows. Its schemas are the classes of messages."""

from functools import lru_cache
from types import ModuleType
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serving.api import drawings, number
from serving.api import messages as api
from serving.api.containers import FORMATS, FORMATS_TEXT
from serving.api.images import MAX_SIDE_PX
from serving.api.network import MAX_GRIDS, N_GRID_BYTES
from serving.api.strokes import EXAMPLE, MAX_POINTS
from serving.drawing.sheet import SIDE_PX
from serving.errors import RequestError
from serving.http import responses
from serving.http.responses import Error, JSONResponse
from serving.model.card import INPUTS, MODEL_NAME, ModelCard
from serving.numbers.reader import MAX_STROKES as MAX_STROKES_OF_NUMBER
from serving.service import Service
from serving.settings import Settings
from serving.v2 import messages as v2
from serving.version import inkling_version

Json = dict[str, Any]

DESCRIPTION = """Reads handwritten digits from pictures: which digit it is, how sure that is, and whether it is one.

Every error is JSON with a text, `{"error": "..."}`."""

TAGS = {
    "Predict": "Reads pictures and drawings.",
    "Open Inference Protocol": "The model's tensors, for clients of Triton and KServe. The addresses of the model also "
    f"exist with its version, such as `/v2/models/{MODEL_NAME}/versions/VERSION/infer`.",
    "Model repository": "Which model is served. Load and unload need the token, or --local-management.",
    "Health": "For orchestrators and load balancers.",
    "Observe": "Metrics and statistics.",
}
PREDICT, PROTOCOL, MODELS, HEALTH, OBSERVE = TAGS

MODEL = f"/v2/models/{MODEL_NAME}"
REPOSITORY = f"/v2/repository/models/{MODEL_NAME}"
JSON_LENGTH = "Inference-Header-Content-Length"

TEXT: Json = {"type": "string"}
OBJECT: Json = {"type": "object"}
COUNT: Json = {"type": "integer", "minimum": 0}
BINARY: Json = {"type": "string", "format": "binary"}
BYTES: Json = {"application/octet-stream": {"schema": BINARY}}
TIMING: Json = {"Server-Timing": {"schema": TEXT, "description": "Milliseconds of each stage."}}
RETRY_AFTER: Json = {"Retry-After": {"schema": COUNT, "description": "Seconds until another attempt."}}

# A 7 on 3 x 5 pixels.
WIDTH, HEIGHT, PIXELS = 3, 5, bytes.fromhex("000000 ffff00 ffff00 ff00ff ff00ff")


async def openapi(request: Request) -> Response:
    """Return the document."""
    return JSONResponse(document(Service.of(request).settings))


@lru_cache(maxsize=1)
def document(settings: Settings) -> Json:
    """Return the document of all routes but those of the page, with the limits of the settings."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Inkling",
            "version": inkling_version(),
            "description": f"{DESCRIPTION}\n\n{_errors()}",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": {
            "/api/predict": _predict(settings),
            "/api/number": _number(),
            "/api/network": _network(),
            "/api/kernel": _kernel(),
            "/api/drawings": _drawings(),
            "/api/model": get(PREDICT, "model", "The model's metadata", json(api.CardAnswer)),
            "/api/model.onnx": get(PREDICT, "modelFile", "The model's file, if the page can run it", BYTES),
            "/v2": get(PROTOCOL, "server", "The server and its extensions", json(v2.ServerMetadata)),
            MODEL: get(PROTOCOL, "metadata", "Inputs and outputs of the model", json(v2.ModelMetadata)),
            f"{MODEL}/infer": _infer(),
            f"{MODEL}/config": get(PROTOCOL, "config", "Triton's `ModelConfig` of the model", json(OBJECT)),
            "/v2/repository/index": post(MODELS, "index", "List the models", json(list[v2.IndexEntry])),
            f"{REPOSITORY}/load": _change("load", "Load the model's file again, and switch to it"),
            f"{REPOSITORY}/unload": _change("unload", "Unload the model"),
            "/v2/health/live": get(HEALTH, "live", "Does the process answer?", json(v2.Live)),
            "/v2/health/ready": _ready("ready", "Are predictions answered?"),
            f"{MODEL}/ready": _ready("readyModel", "Is the model ready?"),
            "/metrics": get(OBSERVE, "metrics", "Prometheus metrics", {"text/plain": {"schema": TEXT}}),
            "/v2/models/stats": get(OBSERVE, "statsAll", "Statistics of all models", json(v2.Statistics)),
            f"{MODEL}/stats": get(OBSERVE, "stats", "Statistics of the model", json(v2.Statistics)),
        },
        "components": {
            "schemas": schemas(api, v2, responses),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def schemas(*modules: ModuleType) -> Json:
    """Return the schemas of the messages in these modules, by their names."""
    found = [kind for module in modules for kind in vars(module).values() if isinstance(kind, type)]
    names = {module.__name__ for module in modules}
    own = [kind for kind in found if kind.__module__ in names and issubclass(kind, msgspec.Struct | ModelCard)]
    return _components(own)[1]


def get(*arguments: Any, **more: Any) -> Json:
    """Return the item of a path with only GET."""
    return {"get": _operation(*arguments, **more)}


def post(*arguments: Any, **more: Any) -> Json:
    """Return the item of a path with only POST."""
    return {"post": _operation(*arguments, **more)}


def json(*messages: Any, **example: Any) -> Json:
    """Return the content of a JSON body, which is one of these messages or schemas."""
    found = [message if isinstance(message, dict) else _components([message])[0][0] for message in messages]
    return {"application/json": {"schema": found[0] if len(found) == 1 else {"anyOf": found}, **example}}


def _components(messages: list[Any]) -> tuple[tuple[Json, ...], Json]:
    return msgspec.json.schema_components(messages, ref_template="#/components/schemas/{name}")


def _operation(tag: str, name: str, summary: str, content: Json, *, status: int = 200, **more: Any) -> Json:
    success = {"description": "Done.", "headers": TIMING} | ({"content": content} if content else {})
    refused = {"description": "The request is refused.", "content": json(Error)}
    unavailable = {"description": "Not now.", "content": json(Error), "headers": RETRY_AFTER}
    answers = {str(status): success, "4XX": refused, "503": unavailable}
    return {"tags": [tag], "operationId": name, "summary": summary, "responses": answers, **more}


def _errors() -> str:
    """Return the statuses of all errors, each with the docstring of its error."""
    kinds = sorted(RequestError.kinds, key=lambda kind: kind.status)
    return "\n".join(f"- `{kind.status}`: {kind.__doc__}" for kind in kinds)


def _body(*contents: Json, required: bool = True) -> Json:
    return {"required": required, "content": {name: schema for content in contents for name, schema in content.items()}}


def _parameter(place: str, name: str, schema: Json, description: str, **example: Any) -> Json:
    return {"name": name, "in": place, "schema": schema, "description": description, **example}


def _predict(settings: Settings) -> Json:
    side = {"type": "integer", "minimum": 1, "maximum": MAX_SIDE_PX}
    files: Json = {f"image/{name.lower()}": {"schema": BINARY} for name in FORMATS}
    files["multipart/form-data"] = {"schema": {**OBJECT, "properties": {"image": BINARY}, "required": ["image"]}}
    return post(
        PREDICT, "predict", "Read a digit", json(api.DigitAnswer, api.FullAnswer),
        description=f"The body is a picture ({FORMATS_TEXT}), a form or JSON with one, or raw grey bytes, row by row, "
        f"with `width` and `height`; {N_GRID_BYTES} bytes without them are 28 x 28. Dark on light or light on dark. "
        f"Or it is JSON with pen strokes, at most {MAX_POINTS:,} points, on a canvas of {SIDE_PX} x {SIDE_PX} pixels. "
        "The body, unless it is a form, may be compressed (gzip, deflate). "
        f"At most {settings.max_body_bytes:,} bytes and {settings.max_pixels:,} pixels.",
        parameters=[
            _parameter("query", "width", side, "Of raw grey bytes, in pixels.", example=WIDTH),
            _parameter("query", "height", side, "Of raw grey bytes, in pixels.", example=HEIGHT),
            _parameter(
                "query", "detail", {**TEXT, "enum": ["full", "features", "full,features"]},
                "full: adds the box and the network's input. features: adds the vector that the last layer reads.",
            ),
        ],
        requestBody=_body(files, json(api.Drawing, api.Picture, example=EXAMPLE), BYTES),
    )  # fmt: skip


def _number() -> Json:
    return post(
        PREDICT, "number", "Read a number of several digits", json(api.NumberAnswer),
        description="JSON with pen strokes in the order of drawing. A digit has up to four strokes, which may be drawn "
        f"later than the next digit. At most {MAX_STROKES_OF_NUMBER} strokes, so at most as many digits, "
        f"{MAX_POINTS:,} points and {number.MAX_BYTES:,} bytes.",
        requestBody=_body(json(api.NumberDrawing, example=number.EXAMPLE)),
    )  # fmt: skip


def _network() -> Json:
    return post(
        PREDICT, "network", "Run only the network", json(api.NetworkAnswer),
        description=f"The body has 1 to {MAX_GRIDS} grids like `normalized` of an answer, {N_GRID_BYTES} bytes each.",
        parameters=[_parameter("query", "layers", {"type": "boolean"}, "Adds feature maps.", example=True)],
        requestBody=_body(BYTES),
    )  # fmt: skip


def _kernel() -> Json:
    return get(
        PREDICT, "kernel", "The kernel of one feature map", json(api.KernelAnswer),
        parameters=[
            _parameter("query", "layer", TEXT, "A convolution in the card.", required=True, example="conv2d_1"),
            _parameter("query", "channel", COUNT, "The map's number in its layer.", required=True, example=0),
        ],
    )  # fmt: skip


def _drawings() -> Json:
    item = post(
        PREDICT, "keepDrawing", "Store a drawing and its digit", json(api.KeptDrawing), status=201,
        description="Only if the service runs with `--collect`. "
        f"At most {drawings.MAX_BYTES:,} bytes, {MAX_POINTS:,} points and {drawings.MAX_DRAWINGS:,} drawings.",
        requestBody=_body(json(api.LabelledDrawing, example=drawings.EXAMPLE)),
    )  # fmt: skip
    item["post"]["responses"]["507"] = {"description": "The drawing cannot be stored.", "content": json(Error)}
    return item


def _infer() -> Json:
    tensor = {"name": INPUTS[0].name, "datatype": INPUTS[0].datatype, "shape": [1, HEIGHT, WIDTH], "data": [*PIXELS]}
    outputs = [{"name": "probabilities"}, {"name": "digit_score"}]
    item = post(
        PROTOCOL, "infer", "Run the model on tensors", json(v2.InferResponse) | BYTES,
        description="JSON, or JSON followed by the bytes of the tensor. The body may be compressed (gzip, deflate).",
        parameters=[_parameter("header", JSON_LENGTH, COUNT, "Bytes of the JSON, uncompressed.")],
        requestBody=_body(json(v2.InferRequest, example={"inputs": [tensor], "outputs": outputs}), BYTES),
    )  # fmt: skip
    length = {JSON_LENGTH: {"schema": COUNT, "description": "Bytes of the JSON."}}
    item["post"]["responses"]["200"]["headers"] = TIMING | length
    return item


def _change(name: str, summary: str) -> Json:
    asked = _body(json(v2.LoadRequest, example={}), required=False)
    return post(MODELS, name, summary, {}, requestBody=asked, security=[{}, {"token": []}])


def _ready(name: str, summary: str) -> Json:
    item = get(HEALTH, name, summary, json(v2.Ready))
    # If no model is loaded, a model's answer is an error.
    item["get"]["responses"]["503"] = {"description": "Not yet, or no longer.", "content": json(v2.Ready, Error)}
    return item
