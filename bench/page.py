"""Measure the page in a browser while a script draws: calm, bytes, frames, and a slow network.

python -m bench.page [--drawings 50]

The drawings are of the writers that were held out. Each point comes at least 10 ms after the one before, as from
their tablet; the browser takes one a frame. Three figures: median, 95 % and the largest.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, Request, ViewportSize

from bench import begin
from bench.browser import launched
from bench.jobs import raw_tensor
from bench.server import running
from pipeline.base.markdown import table
from pipeline.base.paths import ROOT
from pipeline.evaluation.strokes import load_test_drawings
from serving.drawing.sheet import PEN, SIDE_PX
from serving.drawing.strokes import place

SEED = 0
POINT_S = 0.01
PEN_UP_S = 0.25  # between the strokes of a drawing
REST_S = 0.9  # after a drawing; a refusal shows after 0.6 s
INK = 0.6  # height of a drawing, as a share of the sheet
PHONE: ViewportSize = {"width": 390, "height": 664}
# Lighthouse's preset for slow 3G.
SLOW = {"offline": False, "latency": 400, "downloadThroughput": 400_000 / 8, "uploadThroughput": 400_000 / 8}
N_LOADS = 3
N_SLOW_DRAWINGS = 5
N_TRACED = 12

# Notes the pen, what the headline says and the responses, with the times of one clock.
NOTES = """
performance.setResourceTimingBufferSize(100_000);
window.notes = [];
const note = (kind, text = "") => notes.push([kind, performance.now(), text]);
for (const kind of ["pointerdown", "pointerup"]) addEventListener(kind, () => note(kind), true);
addEventListener("DOMContentLoaded", () => {
  const headline = document.querySelector("#headline");
  const observer = new MutationObserver(() => note("headline", headline.textContent));
  observer.observe(headline, { childList: true, characterData: true, subtree: true });
});
"""
TAKE_NOTES = """() => {
  const asked = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/api/predict"));
  const found = [...notes, ...asked.map(({ startTime, responseEnd }) => ["asked", startTime, responseEnd])];
  notes.length = 0;
  performance.clearResourceTimings();
  return found.sort((a, b) => a[1] - b[1]);
}"""
SCRIPT = "performance.getEntriesByType('resource').find(({ name }) => name.endsWith('/page.js')).responseEnd"
# The categories of the trace, and the events in it that DevTools counts as scripting.
CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline", "v8"]
SCRIPTING = {
    "FunctionCall", "EvaluateScript", "EventDispatch", "FireAnimationFrame", "TimerFire", "RunMicrotasks",
    "v8.callFunction", "MinorGC", "MajorGC", "XHRReadyStateChange", "FireIdleCallback",
}  # fmt: skip
FRAME = "BeginCommitCompositorFrame"
READY = "#model[data-state=ready]"

Note = tuple[str, float, Any]
Strokes = list[list[list[float]]]


@contextmanager
def served() -> Iterator[str]:
    """Start the service, and yield its address."""
    command = [sys.executable, "-m", "serving", "--port", "{port}"]
    with running(command, raw_tensor("/api/predict").request, cwd=ROOT, stdout=subprocess.DEVNULL) as server:
        yield f"http://127.0.0.1:{server.address[1]}"


def choose(n: int) -> list[Strokes]:
    """Return drawings on the unit square, every third of several strokes."""
    rng = np.random.default_rng(SEED)
    drawings = load_test_drawings()
    order = rng.permutation(len(drawings))
    kinds = [iter([i for i in order if (len(drawings[i].strokes) > 1) == is_several]) for is_several in (False, True)]
    chosen = [drawings[next(kinds[at % 3 == 2])] for at in range(n)]
    placed = (place(drawing.strokes, (SIDE_PX, SIDE_PX), INK, line_width=PEN * SIDE_PX) for drawing in chosen)
    return [[(stroke / SIDE_PX).tolist() for stroke in strokes] for strokes in placed]


def draw(page: Page, strokes: Strokes) -> None:
    """Draw at the pace of a hand."""
    box = page.locator("#ink").bounding_box()
    assert box is not None
    for stroke in strokes:
        due_s = time.perf_counter()
        for at, (x, y) in enumerate(stroke):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            if at == 0:
                page.mouse.down()
            due_s += POINT_S
            time.sleep(max(0.0, due_s - time.perf_counter()))
        page.mouse.up()
        page.wait_for_timeout(1000 * PEN_UP_S)
    page.wait_for_timeout(1000 * (REST_S - PEN_UP_S))


def read_notes(notes: list[Note]) -> tuple[int, list[int], list[float]]:
    """Return how often the headline changed before a pen's end and after each stroke, and the waits for the responses.

    A wait is the ms from a stroke's end to the response to the last question before the next stroke.
    """
    n_early, changes, waits = 0, [], []
    ups = [ms for kind, ms, _ in notes if kind == "pointerup"]
    downs = [ms for kind, ms, _ in notes if kind == "pointerdown"]
    headlines = [ms for kind, ms, _ in notes if kind == "headline"]
    asked = [(ms, end_ms) for kind, ms, end_ms in notes if kind == "asked"]
    for down, up, following in zip(downs, ups, [*downs[1:], np.inf], strict=True):
        n_early += sum(down <= ms < up for ms in headlines)
        changes.append(sum(up <= ms < following for ms in headlines))
        last = max((pair for pair in asked if pair[0] < following), default=None)
        if last is not None:
            waits.append(max(0.0, last[1] - up))
    return n_early, changes, waits


def count_bytes(requests: list[Request]) -> dict[str, float]:
    """Return the kB of bodies and of headers that were sent, and the number of requests."""
    bodies = [len(request.post_data_buffer or b"") for request in requests]
    is_predict = ["/api/predict" in request.url for request in requests]
    return {
        "predict_kb": sum(size for size, its in zip(bodies, is_predict, strict=True) if its) / 1000,
        "network_kb": sum(size for size, its in zip(bodies, is_predict, strict=True) if not its) / 1000,
        "headers_kb": len(requests) * requests[0].sizes()["requestHeadersSize"] / 1000,
        "requests": len(requests),
    }


def measure_drawings(browser: Browser, service: str, drawings: list[Strokes]) -> dict[str, Any]:
    """Draw on a phone's page without a slow network."""
    page, requests = _open(browser, service)
    n_early, changes, waits, sent = 0, [], [], []
    for strokes in drawings:
        page.keyboard.press("Escape")
        requests.clear()
        page.evaluate(TAKE_NOTES)
        draw(page, strokes)
        early, changed, waited = read_notes(page.evaluate(TAKE_NOTES))
        n_early += early
        changes += changed
        waits += waited
        sent.append(count_bytes(requests))
    page.context.close()
    totals = [each["predict_kb"] + each["network_kb"] for each in sent]
    return {
        "drawings": len(drawings),
        "strokes": len(changes),
        "headlines_before_the_end": n_early,
        "most_headlines_a_stroke": max(changes),
        "response_ms": _spread(waits),
        "sent_kb": _spread(totals),
        **{name: _spread([each[name] for each in sent]) for name in sent[0]},
    }


def measure_frames(browser: Browser, service: str, drawings: list[Strokes]) -> dict[str, Any]:
    """Return the ms of scripting in a frame while the pen is down."""
    page, _ = _open(browser, service)
    browser.start_tracing(page=page, categories=CATEGORIES)
    for strokes in drawings:
        page.keyboard.press("Escape")
        draw(page, strokes)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    page.context.close()
    frames = list(scripting_of_frames(events))
    return {"frames": len(frames), "scripting_ms": _spread(frames)}


def scripting_of_frames(events: list[dict[str, Any]]) -> Iterator[float]:
    """Yield the ms of scripting of each frame that ends while the pen is down, of a browser's trace."""
    [*pens] = sorted(
        (event["ts"], event["args"]["data"]["type"], event["pid"], event["tid"])
        for event in events
        if event["name"] == "EventDispatch" and event["args"]["data"]["type"] in ("pointerdown", "pointerup")
    )
    thread = pens[0][2:]
    own = [event for event in events if (event["pid"], event["tid"]) == thread]
    frames = sorted(event["ts"] for event in own if event["name"] == FRAME)
    scripts = (event for event in own if event["name"] in SCRIPTING and "dur" in event)
    spans = sorted((event["ts"], event["ts"] + event["dur"]) for event in scripts)
    downs, ups = ([ts for ts, kind, *_ in pens if kind == name] for name in ("pointerdown", "pointerup"))
    for start, end in pairwise(frames):
        if not any(down <= start and end <= up for down, up in zip(downs, ups, strict=False)):
            continue
        total, last = 0.0, start
        for low, high in spans:  # they are nested
            total += max(0.0, min(high, end) - max(low, last))
            last = max(last, min(high, end))
        yield total / 1000


def measure_slow(browser: Browser, service: str, drawings: list[Strokes]) -> dict[str, Any]:
    """Load the page for the first time on slow 3G, and draw on it."""
    shown, ready, waits = [], [], []
    for _ in range(N_LOADS):
        page, requests = _open(browser, "about:blank", SLOW)
        page.goto(service, wait_until="commit")
        page.locator(READY).wait_for()
        n_requests = len(requests)
        page.wait_for_timeout(2000)
        shown.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        ready.append(page.evaluate(SCRIPT))
        if len(shown) == N_LOADS:
            for strokes in drawings:
                page.keyboard.press("Escape")
                page.wait_for_timeout(3000)
                page.evaluate(TAKE_NOTES)
                draw(page, strokes)
                page.wait_for_timeout(3000)
                waits += read_notes(page.evaluate(TAKE_NOTES))[2]
        page.context.close()
    figures = {"first_paint_ms": shown, "script_ms": ready, "response_ms": waits}
    return {"requests": n_requests} | {name: _spread(values) for name, values in figures.items()}


def _open(browser: Browser, address: str, network: dict[str, Any] | None = None) -> tuple[Page, list[Request]]:
    context = browser.new_context(viewport=PHONE, service_workers="block", reduced_motion="reduce")
    page = context.new_page()
    page.add_init_script(NOTES)
    requests: list[Request] = []
    page.on("requestfinished", lambda request: requests.append(request))
    if network:
        page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", network)
    page.goto(address)
    if not network:
        page.locator(READY).wait_for()
    return page, requests


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(float(np.median(values)), 1),
        "p95": round(float(np.quantile(values, 0.95)), 1),
        "max": round(max(values), 1),
    }


def section(results: Mapping[str, Any]) -> str:
    """Return the section of docs/measurements.md."""
    drawn, frames, slow = (results[part] for part in ("drawings", "frames", "slow"))
    spreads = {
        "from a stroke's end to the last response, ms": drawn["response_ms"],
        "sent for a drawing, kB": drawn["sent_kb"],
        "requests for a drawing": drawn["requests"],
        "scripting in a frame while the pen is down, ms": frames["scripting_ms"],
        "slow 3G: first paint, ms": slow["first_paint_ms"],
        "slow 3G: the script has come, ms": slow["script_ms"],
        "slow 3G: from a stroke's end to the last response, ms": slow["response_ms"],
    }
    rows = [(words, *(f"{figures[kind]:g}" for kind in ("median", "p95", "max"))) for words, figures in spreads.items()]
    return (
        f"## The page under a pen\n\n`{results['origin']['command']}`, on {results['origin']['cpu']}. "
        f"{drawn['drawings']} drawings of held-out writers on a phone's page in Chromium. Of {drawn['strokes']} "
        f"strokes, {drawn['headlines_before_the_end']} changed the headline before the pen was up, and none changed "
        f"it more than {drawn['most_headlines_a_stroke']} times.\n\n" + table(("", "median", "95 %", "largest"), rows)
    )


def main() -> None:
    """Print the section, and write bench/results/page.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drawings", type=int, default=50)
    drawings = choose(parser.parse_args().drawings)
    save = begin("page")
    with served() as service, launched() as browser:
        results = {
            "drawings": measure_drawings(browser, service, drawings),
            "frames": measure_frames(browser, service, drawings[:N_TRACED]),
            "slow": measure_slow(browser, service, drawings[:N_SLOW_DRAWINGS]),
        }
    print(section(save(results)))


if __name__ == "__main__":
    main()
