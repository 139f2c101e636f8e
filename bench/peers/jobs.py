"""The requests for the peers: a picture of a 7 as a 28x28 tensor, a 280x280 PNG, and a grey canvas."""

import io
import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from bench.load import Answer, http_request

DIGIT = 7
SIDE_PX = 280
SMOOTH = 4  # the picture is drawn this many times larger and then reduced, to get smooth edges as on a canvas

RAW = {"Content-Type": "application/octet-stream"}
JSON_LENGTH = re.compile(rb"\r\ninference-header-content-length: *(\d+)")


@dataclass(frozen=True)
class Form:
    """A job as one request.

    Attributes:
        job: "tensor", "png" or "canvas".
        name: short description for the report.
        request: bytes of the request.
    """

    job: str
    name: str
    request: bytes


def picture() -> Image.Image:
    """Draw a 7 with a thick pen, dark on light, RGB, 280 x 280."""
    side = SIDE_PX * SMOOTH
    image = Image.new("RGB", (side, side), "white")
    pen, width = ImageDraw.Draw(image), 24 * SMOOTH
    points = [(x * SMOOTH, y * SMOOTH) for x, y in ((75, 60), (205, 60), (120, 230))]
    pen.line(points, "black", width)
    for x, y in points:
        pen.ellipse((x - width // 2, y - width // 2, x + width // 2, y + width // 2), "black")
    return image.resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX)


PICTURE = picture()
TENSOR = np.asarray(PICTURE.convert("L").resize((28, 28)))[None]
with io.BytesIO() as _file:
    PICTURE.save(_file, "PNG")
    PNG = _file.getvalue()


def raw_tensor(path: str) -> Form:
    """Send the bytes of the tensor as the body."""
    return Form("tensor", "raw bytes", http_request(f"{path}?width=28&height=28", TENSOR.tobytes(), RAW))


def raw_canvas(path: str) -> Form:
    """Send the grey levels of the picture as the body, like the page."""
    grey = PICTURE.convert("L").tobytes()
    return Form("canvas", "raw grey", http_request(f"{path}?width={SIDE_PX}&height={SIDE_PX}", grey, RAW))


def json_tensor(path: str, name: str | None = "image") -> Form:
    """Send the tensor as nested lists, with or without a name."""
    values = TENSOR.tolist()
    return Form("tensor", "JSON", _json(path, {name: values} if name else values))


def raw_png(path: str) -> Form:
    """Send the PNG as the body."""
    return Form("png", "body", http_request(path, PNG, {"Content-Type": "image/png"}))


def form_png(path: str) -> Form:
    """Send the PNG in a form."""
    start = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="7.png"\r\nContent-Type: image/png\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=cut"}
    return Form("png", "form", http_request(path, start + PNG + b"\r\n--cut--\r\n", headers))


def v2_tensor() -> Form:
    """Send the tensor by the Open Inference Protocol V2, as JSON."""
    return Form("tensor", "V2 JSON", _v2({"shape": [1, 28, 28], "datatype": "UINT8", "data": TENSOR.ravel().tolist()}))


def v2_binary_tensor() -> Form:
    """Send the tensor by V2 with the binary extension, for request and answer."""
    return Form("tensor", "V2 binary", _v2({"shape": [1, 28, 28], "datatype": "UINT8"}, TENSOR.tobytes()))


def is_right(answer: Answer) -> bool:
    """Return whether an answer of any form contains the digit of the picture."""
    length = JSON_LENGTH.search(answer.head)
    end = int(length[1]) if length else len(answer.body)
    try:
        document = json.loads(answer.body[:end])
        document = document[0] if isinstance(document, list) else document  # BentoML's, with batching
        document = document.get("predictions", document)  # MLflow's
        values = _v2_output(document["outputs"], answer.body[end:]) if "outputs" in document else document
        return answer.status == 200 and int(np.argmax(values["probabilities"])) == DIGIT
    except (AttributeError, LookupError, TypeError, ValueError):
        return False


def _json(path: str, document: Any) -> bytes:
    body = json.dumps(document, separators=(",", ":")).encode()
    return http_request(path, body, {"Content-Type": "application/json"})


def _v2(tensor: dict[str, Any], blob: bytes = b"") -> bytes:
    outputs: list[dict[str, Any]] = [{"name": name} for name in ("probabilities", "digit_score")]
    document: dict[str, Any] = {"id": "1", "inputs": [{"name": "image"} | tensor], "outputs": outputs}
    path = "/v2/models/digits/infer"
    if not blob:
        return _json(path, document)
    document["parameters"] = {"binary_data_output": True}
    document["inputs"][0]["parameters"] = {"binary_data_size": len(blob)}
    for output in outputs:
        output["parameters"] = {"binary_data": True}
    text = json.dumps(document, separators=(",", ":")).encode()
    return http_request(path, text + blob, RAW | {"Inference-Header-Content-Length": str(len(text))})


def _v2_output(outputs: list[dict[str, Any]], blobs: bytes) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for output in outputs:
        size = (output.get("parameters") or {}).get("binary_data_size", 0)
        values[output["name"]] = output["data"] if "data" in output else np.frombuffer(blobs[:size], np.float32)
        blobs = blobs[size:]
    return values
