"""Requests for model servers: a picture of a 7 as a 28x28 tensor, a 280x280 PNG, and pen strokes."""

import io
import json
import re
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput

from bench.load import Answer, http_request

DIGIT = 7
SIDE_PX = 280
CORNERS = (75, 60), (205, 60), (120, 230)  # of the 7
SMOOTH = 4  # the picture is drawn this many times larger and then reduced, to get smooth edges as on a canvas

RAW = "application/octet-stream"
JSON_LENGTH = re.compile(rb"\r\ninference-header-content-length: *(\d+)")


class Form(NamedTuple):
    """A job ("tensor", "png" or "strokes") as one request, with a short description for the report."""

    job: str
    name: str
    request: bytes


def picture() -> Image.Image:
    """Draw a 7 with a thick pen, dark on light, RGB, 280 x 280."""
    side = SIDE_PX * SMOOTH
    image = Image.new("RGB", (side, side), "white")
    pen, width = ImageDraw.Draw(image), 24 * SMOOTH
    points = [(x * SMOOTH, y * SMOOTH) for x, y in CORNERS]
    pen.line(points, "black", width)
    for point in points:
        pen.circle(point, width // 2, "black")
    return image.resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX)


PICTURE = picture()
TENSOR = np.asarray(PICTURE.convert("L").resize((28, 28)))[None]
with io.BytesIO() as _file:
    PICTURE.save(_file, "PNG")
    PNG = _file.getvalue()


def raw_tensor(path: str) -> Form:
    """Send the bytes of the tensor as the body."""
    return Form("tensor", "raw bytes", _request(f"{path}?width=28&height=28", TENSOR.tobytes(), RAW))


def json_strokes(path: str) -> Form:
    """Send the strokes of the picture as the page does, with a point each 5 pixels."""
    parts = [np.linspace(*ends, num=int(np.hypot(*np.subtract(*ends)) / 5)) for ends in pairwise(CORNERS)]
    stroke = (np.concatenate(parts) / SIDE_PX).round(4).tolist()
    return Form("strokes", "JSON", _request(path, json.dumps({"strokes": [stroke]}, separators=(",", ":")).encode()))


def json_tensor(path: str, name: str | None = "image") -> Form:
    """Send the tensor as nested lists, with or without a name."""
    values = {name: TENSOR.tolist()} if name else TENSOR.tolist()
    return Form("tensor", "JSON", _request(path, json.dumps(values, separators=(",", ":")).encode()))


def raw_png(path: str) -> Form:
    """Send the PNG as the body."""
    return Form("png", "body", _request(path, PNG, "image/png"))


def form_png(path: str) -> Form:
    """Send the PNG in a form."""
    start = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="7.png"\r\nContent-Type: image/png\r\n\r\n'
    return Form("png", "form", _request(path, start + PNG + b"\r\n--cut--\r\n", "multipart/form-data; boundary=cut"))


def v2_tensor(is_binary: bool = False) -> Form:
    """Send the tensor by the Open Inference Protocol V2, as JSON or with the binary extension in both directions."""
    tensor = InferInput("image", [*TENSOR.shape], "UINT8").set_data_from_numpy(TENSOR, is_binary)
    outputs = [InferRequestedOutput(name, is_binary) for name in ("probabilities", "digit_score")]
    body, length = InferenceServerClient.generate_request_body([tensor], outputs)
    headers = {"Inference-Header-Content-Length": str(length)} if length else {}
    kind = RAW if length else "application/json"
    return Form(
        "tensor", f"V2 {'binary' if length else 'JSON'}", _request("/v2/models/digits/infer", body, kind, headers)
    )


def is_right(answer: Answer) -> bool:
    """Return whether an answer of any form contains the digit of the picture."""
    length = JSON_LENGTH.search(answer.head)
    try:
        if b'"outputs"' in answer.body:
            found = InferenceServerClient.parse_response_body(answer.body, header_length=length and int(length[1]))
            probabilities = found.as_numpy("probabilities")
        else:
            document: Any = json.loads(answer.body)
            document = document[0] if isinstance(document, list) else document  # BentoML's, with batching
            probabilities = document.get("predictions", document)["probabilities"]  # MLflow's
        return answer.status == 200 and int(np.argmax(probabilities)) == DIGIT
    except (AttributeError, LookupError, TypeError, ValueError):
        return False


def _request(path: str, body: bytes, kind: str = "application/json", headers: dict[str, str] | None = None) -> bytes:
    return http_request(path, body, {"Content-Type": kind} | (headers or {}))
