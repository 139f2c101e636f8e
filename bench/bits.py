"""Measure which settings change the bits of a training, and check that mode=portable prevents such changes.

python -m bench.bits [--steps 4] [--emulate Haswell EPYC]

Each condition is a separate process that runs a few training steps and draws a few pictures (bench/bits_probe.py). Its
arrays are compared with those of a reference process.

Held: the environment changes, but the pins of mode=portable must keep the bits. Otherwise the command fails.
Changed: a pin is removed or gets another value, to show its effect.
Emulated: QEMU (`qemu-x86_64`, Debian package qemu-user) emulates another processor. This takes long.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench import begin
from bench.rounds import ratio
from pipeline.base.markdown import table
from pipeline.base.paths import ROOT

N_PAIRS = 3


@dataclass(frozen=True)
class Condition:
    """Differences from the reference process.

    Attributes:
        before: words before `python` in the command.
        outside: environment variables that the pins should override.
        inside: environment variables that are set after the pins, and override them.
        overrides: arguments of `load_config`.
    """

    before: tuple[str, ...] = ()
    outside: Mapping[str, str] = field(default_factory=dict)
    inside: Mapping[str, str] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()


# The first core that this process may use. Systems without sched_getaffinity have no taskset either.
ONE_CORE = ("taskset", "-c", str(min(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else "0")
HELD = {
    "once more": Condition(),
    "one core of two": Condition(ONE_CORE),
    "oneDNN off in the environment": Condition(outside={"TF_ENABLE_ONEDNN_OPTS": "0"}),
    "oneDNN held to SSE 4.1 in the environment": Condition(outside={"ONEDNN_MAX_CPU_ISA": "SSE41"}),
    "oneDNN in bfloat16 in the environment": Condition(outside={"ONEDNN_DEFAULT_FPMATH_MODE": "BF16"}),
    "numpy's and OpenBLAS's own choice in the environment": Condition(
        outside={"NPY_DISABLE_CPU_FEATURES": "X86_V3", "OPENBLAS_CORETYPE": "SkylakeX", "OPENBLAS_NUM_THREADS": "4"}
    ),
}
CHANGED = {
    "mode=fast: all that this processor offers": Condition(overrides=("runtime.mode=fast",)),
    "oneDNN held to SSE 4.1": Condition(overrides=("runtime.mode=fast",), outside={"ONEDNN_MAX_CPU_ISA": "SSE41"}),
    "oneDNN off": Condition(inside={"TF_ENABLE_ONEDNN_OPTS": "0"}),
    "one thread": Condition(overrides=("runtime.threads=1",)),
    "four threads": Condition(overrides=("runtime.threads=4",)),
}


def probe(condition: Condition, n_steps: int) -> tuple[dict[str, np.ndarray], float]:
    """Run a condition, and return its arrays and the seconds per step.

    Raises:
        subprocess.CalledProcessError: it failed, and printed the reason to standard error.
    """
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "arrays.npz"
        inside = [f"{name}={value}" for name, value in condition.inside.items()]
        command = [*condition.before, sys.executable, "-W", "ignore", "-m", "bench.bits_probe", str(file), str(n_steps)]
        done = subprocess.run(
            [*command, *inside, "--", *condition.overrides],
            cwd=ROOT, env=os.environ | condition.outside, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        with np.load(file) as arrays:
            return dict(arrays), float(done.stdout.split()[-1])


def compare(expected: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Compare arrays bit by bit.

    Returns:
        `equal`; `differing`, by kind of array: `arrays` that differ, `of` all, and the `largest` difference of a value.
    """
    differing: dict[str, dict[str, Any]] = {}
    for name, array in expected.items():
        kind, other = name.split("/")[0], found[name]
        row = differing.setdefault(kind, {"arrays": 0, "of": 0, "largest": 0.0})
        row["of"] += 1
        if array.tobytes() != other.tobytes():
            row["arrays"] += 1
            row["largest"] = max(row["largest"], float(np.abs(array.astype(float) - other.astype(float)).max()))
    differing = {kind: row for kind, row in differing.items() if row["arrays"]}
    return {"equal": not differing, "differing": differing}


def emulated(cpu: str) -> Condition:
    """Return the condition that emulates a processor."""
    return Condition(("qemu-x86_64", "-cpu", cpu))


def section(results: Mapping[str, Any]) -> str:
    """Return the section of docs/reproducibility.md."""
    kinds = {"held": "around it", "changed": "without a pin", "emulated": "emulated processor"}
    rows = [
        (
            words,
            name,
            "; ".join(
                f"{part} {row['arrays']} of {row['of']}, {row['largest']:.1e}"
                for part, row in found["differing"].items()
            )
            or "equal",
        )
        for kind, words in kinds.items()
        for name, found in results[kind].items()
    ]
    step, origin = results["step_ms"], results["origin"]
    return (
        f"`{origin['command']}`, on {origin['cpu']}, {origin['n_cores']} cores. {results['steps']} steps of the "
        "training and some pictures, in a process of their own, are compared with those of a process with "
        "mode=portable. Where bits differ, the table shows in how many arrays, and the largest difference of a "
        "value.\n\n"
        + table(("", "what was changed", "bits"), rows)
        + f"\n\nA step in mode=portable takes {ratio(step['portable'], step['fast'])} of one in mode=fast; "
        f"{len(step['fast'])} pairs, both at once."
    )


def main() -> None:
    """Run and print all conditions, and write bench/results/bits.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--steps", type=int, default=4, help="training steps, at least 2: the learning rate of the first is 0"
    )
    parser.add_argument("--emulate", nargs="*", default=[], metavar="CPU", help="a name from `qemu-x86_64 -cpu help`")
    arguments = parser.parse_args()
    if arguments.steps < 2:
        sys.exit(f"error: --steps {arguments.steps}: use at least 2, because the learning rate of the first step is 0")
    if arguments.emulate and not shutil.which("qemu-x86_64"):
        sys.exit("error: --emulate needs qemu-x86_64: on Debian, apt-get install qemu-user")

    save = begin("bits")
    cases = {"held": HELD, "changed": CHANGED, "emulated": {cpu: emulated(cpu) for cpu in arguments.emulate}}
    expected, _ = probe(Condition(), arguments.steps)
    conditions: dict[str, dict[str, Any]] = {kind: {} for kind in cases}
    for kind in cases:
        for name, condition in cases[kind].items():
            found, _ = probe(condition, arguments.steps)
            conditions[kind][name] = compare(expected, found)
            print(f"{name:<55} {conditions[kind][name]}", flush=True)
    save({"steps": arguments.steps} | conditions | {"step_ms": _time(5 * arguments.steps)})
    if broken := [name for name, found in conditions["held"].items() if not found["equal"]]:
        sys.exit(f"error: mode=portable did not keep the bits: {'; '.join(broken)}")


def _time(n_steps: int) -> dict[str, list[float]]:
    """Return the milliseconds per step in both modes. Both run at the same time, so that the load is the same."""
    rows: dict[str, list[float]] = {"portable": [], "fast": []}
    for _ in range(N_PAIRS):
        with ThreadPoolExecutor(len(rows)) as pool:
            cases = [Condition(overrides=(f"runtime.mode={mode}",)) for mode in rows]
            done = list(pool.map(lambda condition: probe(condition, n_steps)[1], cases))
        for mode, seconds in zip(rows, done, strict=True):
            rows[mode].append(round(1000 * seconds, 1))
    print(rows, f"portable to fast: {ratio(rows['portable'], rows['fast'])}")
    return rows


if __name__ == "__main__":
    main()
