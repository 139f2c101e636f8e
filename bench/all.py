"""Run the benchmarks whose results are missing or old, one after the other, and write the documents from all results.

python -m bench.all [--list] [NAME ...]

A result is current if the model, the code, the parameters and the command line are those of the project. Named
benchmarks run in any case. A benchmark that fails does not stop the others. After an interruption, the same command
continues: what has ended is current. Nothing else should use the machine.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence

from bench import BENCHES, command, read, state
from pipeline.base.markdown import table
from pipeline.base.paths import ROOT


def minutes(names: Sequence[str]) -> str:
    """Return the minutes that benchmarks took last time, and how many have no time."""
    seconds = [(read(name) or {"origin": {}})["origin"].get("seconds") for name in names]
    known, n_unknown = [value for value in seconds if value is not None], seconds.count(None)
    return f"{sum(known) / 60:.0f} min" + f" and {n_unknown} of unknown time" * (n_unknown > 0)


def listing() -> str:
    """Return the table of all benchmarks."""
    rows = [(name, f"`{command(name)}`", minutes([name]), state(name, read(name))) for name in BENCHES]
    return table(("benchmark", "command", "last time", "state"), rows)


def run(names: Sequence[str]) -> list[str]:
    """Run benchmarks in turn. Return the names of those that failed or left no current result."""
    failed = []
    for number, name in enumerate(names):
        left = f"{number + 1} of {len(names)}, left {minutes(names[number:])}"
        print(f"== {time.strftime('%H:%M')} {command(name)} ({left})", flush=True)
        started_s = time.monotonic()
        words = [sys.executable, *command(name).split()[1:]]
        status = subprocess.run(words, cwd=ROOT, check=False).returncode
        found = state(name, read(name)) if status == 0 else f"failed with status {status}"
        print(f"== {time.strftime('%H:%M')} {name}: {found}, {(time.monotonic() - started_s) / 60:.1f} min", flush=True)
        if found != "current":
            failed.append(name)
    return failed


def main(arguments: Sequence[str]) -> None:
    """Run the chosen benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these of {', '.join(BENCHES)}")
    parser.add_argument("--list", action="store_true", help="print the benchmarks, and run none")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - BENCHES.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if chosen.list:
        print(listing())
        return
    is_due = {name: name in chosen.names if chosen.names else state(name, read(name)) != "current" for name in BENCHES}
    failed = run([name for name in BENCHES if is_due[name]])
    subprocess.run([sys.executable, "-m", "bench.report"], cwd=ROOT, check=True)
    if failed:
        sys.exit(f"error: {', '.join(failed)}")


if __name__ == "__main__":
    main(sys.argv[1:])
