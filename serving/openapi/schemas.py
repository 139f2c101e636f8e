"""The shapes of what goes in and out, as JSON Schema 2020-12: `components.schemas` of the OpenAPI document."""

import dataclasses
import io
import math
import types
from typing import Any, get_args, get_origin, get_type_hints

from PIL import Image

from serving.api.drawings import HIGHEST, ID_LENGTH, LOWEST, MAX_STROKES
from serving.model.card import GOLDEN_SHAPE, INPUTS, OUTPUTS, ModelCard, Tensor, Thresholds
from serving.model.predictor import State

Schema = dict[str, Any]

VERSION_PATTERN = "^[0-9a-f]{12}$"

# A 7 on 3 x 5 pixels, the shortest example that can be sent as it is.
EXAMPLE_WIDTH, EXAMPLE_HEIGHT = 3, 5
EXAMPLE_PIXELS = bytes.fromhex("000000 ffff00 ffff00 ff00ff ff00ff")

N_SEEN_BYTES = math.prod(GOLDEN_SHAPE)


def ref(name: str) -> Schema:
    """Return a reference to one of `schemas`."""
    return {"$ref": f"#/components/schemas/{name}"}


def closed(properties: dict[str, Schema], optional: tuple[str, ...] = (), description: str = "") -> Schema:
    """An object with these properties and no others, all required but for `optional`."""
    required = [name for name in properties if name not in optional]
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"description": description, **schema} if description else schema


def array(items: Schema, n: int | None = None, **more: Any) -> Schema:
    """A list, of exactly `n` items where that is given."""
    return {"type": "array", "items": items, **({} if n is None else {"minItems": n, "maxItems": n}), **more}


def of_type(annotation: Any) -> Schema:
    """The schema of a type that a dataclass names for a field; dataclasses are referred to by their names."""
    if dataclasses.is_dataclass(annotation):
        return ref(annotation.__name__)  # type: ignore[union-attr]
    if isinstance(annotation, types.GenericAlias) and get_origin(annotation) is list:
        return array(of_type(get_args(annotation)[0]))
    return {"type": {str: "string", int: "integer", float: "number"}.get(annotation, "object")}


def of_dataclass(cls: type, **more: Schema) -> Schema:
    """The schema of a dataclass as JSON; `more` is added to fields, by their names."""
    hints = get_type_hints(cls)
    return closed({name: of_type(hint) | more.get(name, {}) for name, hint in hints.items()})


def text(description: str = "", **more: Any) -> Schema:
    """A string."""
    return {"type": "string", **({"description": description} if description else {}), **more}


def share(description: str) -> Schema:
    """A number from 0 to 1."""
    return {"type": "number", "minimum": 0, "maximum": 1, "description": description}


def count(description: str = "") -> Schema:
    """A whole number from 0."""
    return {"type": "integer", "minimum": 0, **({"description": description} if description else {})}


def nullable(schema: Schema) -> Schema:
    """The schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def example_png() -> bytes:
    """The example as a PNG file."""
    buffer = io.BytesIO()
    Image.frombytes("L", (EXAMPLE_WIDTH, EXAMPLE_HEIGHT), EXAMPLE_PIXELS).save(buffer, "PNG")
    return buffer.getvalue()


VERSION_SCHEMA = text("The first 12 hex digits of the model file's SHA-256.", pattern=VERSION_PATTERN)
DURATION = closed({"count": count(), "ns": count("Nanoseconds, in all.")})
COMPUTE = {f"compute_{step}": DURATION for step in ("input", "infer", "output")}


def digit(n_classes: int | None) -> Schema:
    """Return the schema of a class index; the number of classes is None if no model is loaded."""
    return {"type": "integer", "minimum": 0} | ({"maximum": n_classes - 1} if n_classes else {})


def _verdict(n_classes: int | None) -> dict[str, Schema]:
    probable = {"description": "The most probable digit, if the state is `digit` or `unsure`."}
    return {
        "state": text(
            "`blank`: there is no ink. `not_a_digit`: there is, and it is not one digit. `unsure`: it may be one "
            "of two digits. `digit`: it is that digit. The thresholds are in the model's card.",
            enum=list(get_args(State)),
        ),
        "digit": nullable(digit(n_classes) | probable),
        "confidence": nullable(share("Its probability, calibrated.")),
        "probabilities": array(share(""), n_classes, description="Of each digit, if it is one. They add up to 1."),
        "digit_score": share("The learnt probability that the ink is one digit; 0 where there is none."),
    }


def _answer(n_classes: int | None) -> Schema:
    return closed(
        _verdict(n_classes)
        | {
            "alternatives": array(
                closed({"digit": digit(n_classes), "confidence": share("Its probability.")}),
                maxItems=2,
                description="The two best digits, the best first, if the state is `unsure`; else empty.",
            ),
            "box": nullable(ref("Box")),
            "normalized": text(
                "What the network saw: 28 x 28 bytes, row by row, 255 = ink.",
                contentEncoding="base64",
                minLength=(n_base64 := -(-N_SEEN_BYTES // 3) * 4),
                maxLength=n_base64,
            ),
            "width": {"type": "integer", "minimum": 1, "description": "Of the picture in pixels, upright."},
            "height": {"type": "integer", "minimum": 1, "description": "Of the picture in pixels, upright."},
            "model_version": VERSION_SCHEMA,
        }
    )


def _network_answer(n_classes: int | None) -> Schema:
    layer = {
        "name": text(),
        "kind": text("Keras's class."),
        "shape": array(count(), 3, description="Height, width and number of its maps."),
        "peak": {"type": "number", "minimum": 0, "description": "The highest value of them all."},
        "maps": text("Map by map, row by row, 255 = the peak; 0 is 0 or below.", contentEncoding="base64"),
    }
    answer = {
        "model_version": VERSION_SCHEMA,
        "answers": array(closed(_verdict(n_classes)), description="Of each grid, in their order."),
        "layers": array(closed(layer), description="Of the first grid, with `layers=true`."),
    }
    return closed(answer, optional=("layers",))


def _drawing(n_classes: int | None) -> Schema:
    coordinate = {"type": "number", "minimum": LOWEST, "maximum": HIGHEST}
    description = "Each a list of points, x and y from the sheet's top left; the sheet is 0 to 1, the pen may leave it."
    stroke = array(array(coordinate, 2), minItems=1)
    strokes = array(stroke, minItems=1, maxItems=MAX_STROKES, description=description)
    return closed({"strokes": strokes, "label": digit(n_classes) | {"description": "The digit that it is."}})


def _model_card() -> Schema:
    card = of_dataclass(ModelCard, version=VERSION_SCHEMA, sha256={"pattern": "^[0-9a-f]{64}$"})
    collects = {"type": "boolean", "description": "Whether POST /api/drawings keeps drawings."}
    return closed(card["properties"] | {"service": closed({"collects": collects})})


def _box() -> Schema:
    sides = {name: {"type": "number", "minimum": 0} for name in ("left", "top", "right", "bottom")}
    return closed(sides, description="Where the ink is, in pixels of the upright source; null where there is none.")


def _tensor_in(tensor: Tensor) -> Schema:
    lengths = {"type": "integer", "minimum": 1}
    return closed(
        {
            "name": text(enum=[tensor.name]),
            "shape": array(lengths, len(tensor.shape), description="Images, height and width, each from 1."),
            "datatype": text(enum=[tensor.datatype]),
            "parameters": {
                "type": "object",
                "properties": {"binary_data_size": count("Bytes of this tensor after the JSON.")},
            },
            "data": array(
                {"type": ["integer", "array"], "minimum": 0, "maximum": 255},
                description="Grey levels, row by row, flat or nested; absent where the tensor is binary.",
            ),
        },
        optional=("parameters", "data"),
    )


def infer_request() -> Schema:
    """Return the schema of a V2 request, with an example."""
    wanted = closed(
        {
            "name": text(enum=[tensor.name for tensor in OUTPUTS]),
            "parameters": {
                "type": "object",
                "properties": {
                    "binary_data": {"type": "boolean"},
                    "classification": {
                        "type": "integer",
                        "minimum": 1,
                        "description": "So many best classes instead, each as `value:index:label`.",
                    },
                },
            },
        },
        optional=("parameters",),
    )
    parameters = {
        "timeout": count("Microseconds; what would come later is refused with 503 and not run."),
        "binary_data_output": {"type": "boolean", "description": "All outputs as bytes after the JSON."},
    }
    properties = {
        "id": text("Comes back in the answer."),
        "inputs": {"type": "array", "prefixItems": [_tensor_in(tensor) for tensor in INPUTS]}
        | {"items": False, "minItems": len(INPUTS)},
        "outputs": array(wanted, description="All, where none are named."),
        "parameters": {"type": "object", "properties": parameters, "description": "Others are tolerated."},
    }
    # The protocol's clients send more than is read here.
    schema = closed(properties, optional=("id", "outputs", "parameters")) | {"additionalProperties": True}
    example = {"name": INPUTS[0].name, "datatype": INPUTS[0].datatype, "shape": [1, EXAMPLE_HEIGHT, EXAMPLE_WIDTH]}
    outputs = [{"name": name} for name in ("probabilities", "digit_score")]
    return schema | {"examples": [{"inputs": [example | {"data": list(EXAMPLE_PIXELS)}], "outputs": outputs}]}


def _infer_response() -> Schema:
    output = closed(
        {
            "name": text(enum=[tensor.name for tensor in OUTPUTS]),
            "datatype": text(enum=sorted({tensor.datatype for tensor in OUTPUTS} | {"BYTES"})),
            "shape": array(count()),
            "data": array({"type": ["number", "string"]}, description="Flat, row by row; absent where it is binary."),
            "parameters": {"type": "object", "properties": {"binary_data_size": count()}},
        },
        optional=("data", "parameters"),
    )
    name, version = text(), VERSION_SCHEMA
    answer = {"model_name": name, "model_version": version, "id": text("The request's."), "outputs": array(output)}
    return closed(answer, optional=("id",))


def _statistics() -> Schema:
    steps = dict.fromkeys(("success", "fail", "queue"), DURATION) | COMPUTE
    model = {
        "name": text(),
        "version": VERSION_SCHEMA,
        "last_inference": count("Milliseconds since 1970; 0 before the first."),
        "inference_count": count("Images."),
        "execution_count": count("Runs of the model: a batch counts once."),
        "inference_stats": closed(steps),
        "batch_stats": array(closed({"batch_size": count(), **COMPUTE})),
    }
    description = "Since the service started; they go on when another model is loaded."
    return closed({"model_stats": array(closed(model))}, description=description)


def _config() -> Schema:
    tensor = closed({"name": text(), "data_type": text(), "dims": array({"type": "integer"})})
    tensors = array(tensor | {"additionalProperties": True}, minItems=1)
    fields = {"name": text(), "platform": text(), "max_batch_size": count(), "input": tensors, "output": tensors}
    return closed(fields) | {"additionalProperties": True, "description": "As Triton writes a model's configuration."}


def schemas(n_classes: int | None) -> dict[str, Schema]:
    """Return `components.schemas` for a model with this number of classes, or for no model."""
    return {
        "Error": closed({"error": text("What is wrong, and what to do.")}, description="Every refusal has this shape."),
        "Answer": _answer(n_classes),
        "Box": _box(),
        "ModelCard": _model_card(),
        "NetworkAnswer": _network_answer(n_classes),
        "Drawing": _drawing(n_classes),
        "KeptDrawing": closed({"id": text("The same drawing has the same id.", pattern=f"^[0-9a-f]{{{ID_LENGTH}}}$")}),
        "Tensor": of_dataclass(Tensor),
        "Thresholds": of_dataclass(Thresholds),
        "ServerMetadata": closed({"name": text(), "version": text(), "extensions": array(text())}),
        "ModelMetadata": closed(
            {
                "name": text(),
                "versions": array(VERSION_SCHEMA, 1),
                "platform": text(),
                "inputs": array(ref("Tensor"), len(INPUTS)),
                "outputs": array(ref("Tensor"), len(OUTPUTS)),
            }
        ),
        "ModelConfig": _config(),
        "InferRequest": infer_request(),
        "InferResponse": _infer_response(),
        "RepositoryIndex": array(
            closed(
                {
                    "name": text(),
                    "version": text("Empty where it is not loaded."),
                    "state": text(enum=["READY", "UNAVAILABLE"]),
                    "reason": text(),
                }
            )
        ),
        "Statistics": _statistics(),
    }
