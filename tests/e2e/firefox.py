"""Firefox, driven over WebDriver BiDi by firefox.mjs."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.digits import DIGITS, NAMES
from tests.needs import missing
from tests.web.node import ENVIRONMENT, package

PATIENCE_S = 60
# The browser's own pages and requests to its vendor would only delay the tests.
PREFERENCES = {"browser.shell.checkDefaultBrowser": False, "app.update.auto": False}

Step = Callable[..., Any]


@contextmanager
def firefox(**preferences: bool) -> Iterator[Step]:
    """Start Firefox, and yield a function that runs a step of firefox.mjs."""
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    if path is None:
        missing("No Firefox: install firefox-esr or firefox.")
    package("puppeteer-core/package.json")
    command = ["node", str(Path(__file__).with_name("firefox.mjs")), path, json.dumps(PREFERENCES | preferences)]
    with subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as driver:

        def run(*step: Any) -> Any:
            print(json.dumps(step), file=driver.stdin, flush=True)
            line = driver.stdout.readline() if driver.stdout else ""
            assert line, f"{step[0]} failed"
            return json.loads(line)

        yield run


def expect_text(run: Step, selector: str, text: str) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while text not in (found := run("text", selector)):
        assert time.monotonic() < end_s, f"{selector} has {found!r} instead of {text!r}"
        time.sleep(0.1)


def expect_read(run: Step, digit: int) -> None:
    run("click", "#clear")
    run("draw", DIGITS[digit])
    expect_text(run, "#headline", NAMES[digit])
