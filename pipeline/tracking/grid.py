"""A grid: all combinations of a sweep's values. The same command continues one that did not end."""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipeline.base.errors import ConfigError
from pipeline.base.files import file_sha256, read_json, write_json
from pipeline.base.paths import OUTPUTS, ROOT

SWEEP = "INKLING_SWEEP"  # environment variable with the path of the file that `start_sweep` writes for its trials
TAG = "grid"  # of the sweep's run: the ID of the grid
UNFINISHED = "unfinished.json"  # in the directory of a sweep until the grid ends
RESULT = "result.json"  # in the directory of a trial that has finished

log = logging.getLogger(__name__)


def sweep_of_trial() -> dict[str, Any]:
    """Return what `start_sweep` wrote for its trials; empty outside of a trial."""
    file = os.environ.get(SWEEP)
    return json.loads(Path(file).read_text()) if file else {}


@contextlib.contextmanager
def open_grid(directory: Path, values: Sequence[str]) -> Iterator[tuple[Path, str]]:
    """Continue the last grid that did not end, or start one. Yield its directory and its ID.

    Args:
        directory: directory of the sweep. In the default folder of sweeps, a grid may continue in one beside it.
        values: all overrides and digests that determine the trials; the order of the overrides numbers the trials.

    Raises:
        ConfigError: another process writes into this directory.
    """
    digest = hashlib.sha256("\n".join([*values, *code_digests()]).encode()).hexdigest()
    beside = directory.parent.glob(f"*/{UNFINISHED}") if directory.parent == OUTPUTS / "multirun" else ()
    for path in [*sorted(beside, reverse=True), directory / UNFINISHED]:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until the process ends
            except BlockingIOError:
                continue
            file.seek(0)
            grid = json.loads(file.read() or "{}")
            if grid.get("digest") == digest:
                n_finished = len([*path.parent.glob(f"*/{RESULT}")])
                log.info("continuing the grid in %s: %d trials have finished", path.parent, n_finished)
            elif path.parent == directory:
                grid = {"digest": digest, "id": uuid.uuid4().hex}
                file.truncate(0)
                file.write(json.dumps(grid))
                file.flush()
            else:
                continue
            yield path.parent, grid["id"]
            path.unlink()
            return
    raise ConfigError(
        f"another process writes a sweep into {directory}: wait for it, or choose another hydra.sweep.dir"
    )


def code_digests() -> list[str]:
    """Return the SHA-256 of each file of code on which a training depends, as dvc.yaml lists them."""
    listed = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]["train"]["deps"]
    paths = [ROOT / path for path in listed if not path.startswith("data/")]
    files = [file for path in paths for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    return [file_sha256(file) for file in files]


@contextlib.contextmanager
def claimed(directory: Path) -> Iterator[dict[str, float] | None]:
    """Claim a trial of a grid. Yield its result if it has finished, so that it is not trained again.

    Wait while another process trains it: trials may outlive the process of their sweep.
    """
    if not (grid := _grid_of_trial()):
        yield None
        return
    with (directory / "trial.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = read_json(directory / RESULT, made_by="a trial") if (directory / RESULT).exists() else {}
        is_finished = result.get("grid") == grid
        if is_finished:
            log.info("this trial has finished: val_accuracy %.4f", result["figures"]["val_accuracy"])
        yield result["figures"] if is_finished else None


def keep(directory: Path, figures: Mapping[str, float]) -> None:
    """Write the result of a trial of a grid: it has finished."""
    if grid := _grid_of_trial():
        write_json(directory / RESULT, {"grid": grid, "figures": dict(figures)})


def _grid_of_trial() -> str:
    start = sweep_of_trial().get("start")
    return start["tags"].get(TAG, "") if start else ""
