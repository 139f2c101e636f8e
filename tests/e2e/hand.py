"""Drawing and files on the page, and the pixels of its canvases."""

import base64
import io

from PIL import Image, ImageDraw
from playwright.sync_api import Page

from tests.e2e.digits import Stroke


def draw(page: Page, strokes: list[Stroke]) -> None:
    """Draw with the mouse, in the sheet's unit square."""
    for stroke in strokes:
        (x, y), *rest = _on_screen(page, stroke)
        page.mouse.move(x, y)
        page.mouse.down()
        for x, y in rest:
            page.mouse.move(x, y, steps=2)
        page.mouse.up()


def draw_by_touch(page: Page, strokes: list[Stroke], end: str = "touchEnd") -> None:
    """Draw with a finger, through the browser's protocol."""
    session = page.context.new_cdp_session(page)
    for stroke in strokes:
        first, *rest = ([{"x": x, "y": y}] for x, y in _on_screen(page, stroke))
        for kind, touches in [("touchStart", first), *(("touchMove", point) for point in rest), (end, [])]:
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def draw_by_pen(page: Page, strokes: list[Stroke]) -> None:
    """Draw with a pen, through the browser's protocol."""
    session = page.context.new_cdp_session(page)
    event = {"button": "left", "buttons": 1, "clickCount": 1, "pointerType": "pen"}
    for stroke in strokes:
        first, *rest = _on_screen(page, stroke)
        moves = [("mouseMoved", point) for point in rest]
        for kind, (x, y) in [("mousePressed", first), *moves, ("mouseReleased", (rest or [first])[-1])]:
            session.send("Input.dispatchMouseEvent", event | {"type": kind, "x": x, "y": y})


def _on_screen(page: Page, stroke: Stroke) -> Stroke:
    box = page.locator("#ink").bounding_box()
    assert box is not None
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]


def n_inked_pixels(page: Page, canvas: str) -> int:
    """Count the pixels of a canvas that are neither transparent nor black."""
    n_pixels: int = page.locator(canvas).evaluate(
        """async (canvas) => {
          await new Promise(requestAnimationFrame);
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return data.filter((_, i) => i % 4 === 3 && data[i] && data[i - 1] + data[i - 2] + data[i - 3]).length;
        }"""
    )
    return n_pixels


def png_of(strokes: list[Stroke], side_px: int = 200) -> bytes:
    image = Image.new("L", (side_px, side_px), 255)
    for stroke in strokes:
        points = [(x * side_px, y * side_px) for x, y in stroke]
        ImageDraw.Draw(image).line(points, fill=0, width=side_px // 16, joint="curve")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def give_file(page: Page, event: str, body: bytes) -> None:
    page.evaluate(
        """([event, text]) => {
          const bytes = Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0));
          const data = new DataTransfer();
          data.items.add(new File([bytes], "digit.png", { type: "image/png" }));
          const options = { bubbles: true, cancelable: true };
          document.querySelector("#ink").dispatchEvent(
            event === "drop"
              ? new DragEvent("drop", { ...options, dataTransfer: data })
              : new ClipboardEvent("paste", { ...options, clipboardData: data }),
          );
        }""",
        [event, base64.b64encode(body).decode()],
    )


def upload(page: Page, buffer: bytes, name: str = "7.png") -> None:
    page.locator("#file").set_input_files({"name": name, "mimeType": "image/png", "buffer": buffer})
