"""Measure how long an answer takes in the browser, and from the service on the same machine, in turns.

python -m bench.local

Drawings like those of the contract test, in Chromium and Firefox. Needs both and the packages of package-lock.json.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.contract.local import drawings
from tests.e2e.ask import ASK, BROWSER, SERVICE
from tests.e2e.browser import launched
from tests.e2e.firefox import firefox
from tests.e2e.service import page_with_runtime, running

N_IN_TURN = 50
N_TURNS = 20


def main() -> None:
    """Print the median and the 95th percentile of each."""
    with tempfile.TemporaryDirectory() as folder:
        web = page_with_runtime(Path(folder))
        with running(Path(folder) / "log.txt", "--web", str(web)) as url:
            with launched() as browser:
                page = browser.new_page(reduced_motion="reduce")
                page.goto(url)
                report("Chromium", lambda module, asked: page.evaluate(ASK, [module, asked]))
            with firefox() as run:
                run("open", url)
                report("Firefox", lambda module, asked: run("ask", module, asked))


def report(name: str, ask: Callable[[str, list[Any]], list[dict[str, Any]]]) -> None:
    """Ask in turns, and print the times from the question to the answer. The first turn does not count."""
    turns = np.array_split(np.array(drawings(N_IN_TURN * (N_TURNS + 1)), object), N_TURNS + 1)
    times: dict[str, list[float]] = {SERVICE: [], BROWSER: []}
    for number, asked in enumerate(turns):
        for module, found in times.items():
            answers = ask(module, asked.tolist())
            found += [answer["roundTripMs"] for answer in answers] if number else []
    for module, found in times.items():
        median, high = np.percentile(found, [50, 95])
        print(f"{name}, {module}: p50 {median:.1f} ms, p95 {high:.1f} ms")


if __name__ == "__main__":
    main()
