"""The browser that draws on the page."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

VARIABLE = "INKLING_CHROMIUM"
COMMANDS = ("chromium", "chromium-browser", "google-chrome")
MISSING = f"No browser: install Chromium with `python -m tests.e2e.browser`, or name its file in {VARIABLE}."

# As root, for example in containers, Chromium starts only without a sandbox. The rest prevents requests to its vendor.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Modules that answer a drawing, and a script that asks one of them for many drawings.
SERVICE, BROWSER = "js/service/predict.js", "js/local/client.js"

ASK = """async ([module, drawings]) => {
  const load = (name) => import(new URL(name, document.baseURI));
  const { predict } = await load(module);
  const { strokesRequest } = await load("js/service/predict.js");
  const answers = [];
  for (const strokes of drawings) answers.push(await predict({ strokes, request: () => strokesRequest(strokes) }));
  return answers;
}"""


def find_browser() -> str | None:
    """Return the path of a Chromium: from the variable, PATH or Playwright, or None."""
    for path in map(shutil.which, (os.environ.get(VARIABLE, ""), *COMMANDS)):
        if path:
            return path
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


@contextmanager
def launched() -> Iterator[Browser]:
    """Start a headless Chromium, or end the program without one."""
    path = find_browser() or sys.exit(MISSING)
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=path, args=ARGUMENTS) as browser:
        yield browser
