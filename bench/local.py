"""Measure how long an answer takes in the browser, and from the service on the same machine, in turns.

python -m bench.local

The drawings are of the writers that were held out. Needs `make runtime`.
"""

import argparse
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from bench import begin
from bench.browser import ASK, BROWSER, SERVICE, launched
from bench.page import choose, served
from pipeline.base.markdown import table
from pipeline.base.paths import ROOT
from serving.api.predict import RUNTIME

N_IN_TURN = 50
N_TURNS = 20  # and one before them, which does not count
MODULES = {"the service": SERVICE, "the browser": BROWSER}


def section(results: Mapping[str, Any]) -> str:
    """Return the section of docs/measurements.md."""
    rows = [(name, f"{row['median_ms']:.1f}", f"{row['p95_ms']:.1f}") for name, row in results["answers"].items()]
    return (
        f"## An answer in the browser\n\n`{results['origin']['command']}`, on {results['origin']['cpu']}. From the "
        f"question to the answer in Chromium, for {results['drawings']:,} drawings in turns.\n\n"
        + table(("answer of", "median, ms", "95 %, ms"), rows)
    )


def main() -> None:
    """Print the section, and write bench/results/local.json."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    if not all((ROOT / "web" / name).exists() for name in RUNTIME):
        sys.exit("error: the browser has nothing to run the model with: run `make runtime`")
    save, drawings = begin("local"), choose(N_IN_TURN * (N_TURNS + 1))
    times: dict[str, list[float]] = {name: [] for name in MODULES}
    with served() as url, launched() as browser:
        page = browser.new_page(reduced_motion="reduce")
        page.goto(url)
        for turn in range(N_TURNS + 1):
            asked = drawings[turn * N_IN_TURN : (turn + 1) * N_IN_TURN]
            for name, module in MODULES.items():
                answers = page.evaluate(ASK, [module, asked])
                times[name] += [answer["roundTripMs"] for answer in answers] if turn else []
    figures = {
        name: {"median_ms": round(float(np.median(ms)), 1), "p95_ms": round(float(np.quantile(ms, 0.95)), 1)}
        for name, ms in times.items()
    }
    print(section(save({"drawings": N_IN_TURN * N_TURNS, "answers": figures})))


if __name__ == "__main__":
    main()
