"""MLflow, for the whole project: the only module that imports it.

Tracking serves training, never the other way round: the first call that fails is reported, and the run goes on without.
The store is mlflow.db (SQLite) in the repository, or the server that MLFLOW_TRACKING_URI names.
"""

import hashlib
import json
import logging
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from pipeline.config import Config, flatten
from pipeline.data import DataCard, Split
from pipeline.history import Epoch
from pipeline.paths import ROOT, Outputs

# MLflow reads these when it is imported. Its own defaults hold up a run for 247 s at every call to a dead server.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import mlflow
import mlflow.data.numpy_dataset
from mlflow.models import infer_signature

log = logging.getLogger(__name__)

EXPERIMENT = "inkling"
OWN_STORE = f"sqlite:///{ROOT / 'mlflow.db'}"
WEIGHTS_TAG = "weights_sha256"  # how the later stages find the run that made the weights they have


class Run:
    """One MLflow run, or none if the store does not answer: then every method does nothing."""

    def __init__(self) -> None:
        self.is_alive = True

    def attempt(self, action: Callable[..., object], *arguments: Any, **options: Any) -> None:
        """Do something with the store; if it fails, say so once and do without from then on."""
        if not self.is_alive:
            return
        try:
            action(*arguments, **options)
        except Exception as error:  # whatever it is, it is not worth a training run
            self.is_alive = False
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            log.warning("MLflow at %s does not answer; going on without it (%s)", uri(), reason)

    def end(self, status: str) -> None:
        """End the run, also one whose store failed on the way: the next run in this process must not be this one."""
        if mlflow.active_run():
            self.is_alive = True
            self.attempt(mlflow.end_run, status)

    def log_data(self, splits: dict[str, Split], card: DataCard) -> None:
        """Record the images that were used, with their digests."""
        for name, split in splits.items():
            self.attempt(_log_split, name, split, card)

    def log_epoch(self, epoch: Epoch, seconds: float) -> None:
        """Record the figures of an epoch."""
        values = asdict(epoch)
        step = values.pop("epoch")
        self.attempt(mlflow.log_metrics, values | {"epoch_seconds": seconds}, step=step)

    def log_results(self, outputs: Outputs, kept: Epoch) -> None:
        """Record what training made: the epoch that is kept, the weights, the calibration, the curves."""
        self.attempt(mlflow.log_metrics, {f"kept_{name}": value for name, value in asdict(kept).items()})
        self.attempt(mlflow.set_tag, WEIGHTS_TAG, _sha256(outputs.weights))
        for file in (outputs.weights, outputs.calibration):
            self.attempt(mlflow.log_artifact, str(file), "network")
        self.log_plots(outputs.plot("curves.png"), outputs.plot("history.csv"))

    def log_plots(self, *files: Path) -> None:
        """Record pictures and their data."""
        for file in files:
            self.attempt(mlflow.log_artifact, str(file), "plots")

    def log_metrics(self, values: dict[str, float]) -> None:
        """Record final figures."""
        self.attempt(mlflow.log_metrics, values)

    def log_export(self, parameters: dict[str, Any]) -> None:
        """Record the parameters of an export: as tags, because another export of the same run may change them."""
        self.attempt(mlflow.set_tags, {f"export.{key}": value for key, value in parameters.items()})

    def log_model(self, file: Path, example: dict[str, np.ndarray], answer: dict[str, np.ndarray]) -> None:
        """Record the model file with its signature, from one example and its answer."""
        self.attempt(
            mlflow.onnx.log_model,
            onnx.load(file),
            name="digits",
            signature=infer_signature(example, answer),
            onnx_execution_providers=["CPUExecutionProvider"],
            save_as_external_data=False,
            pip_requirements=["onnxruntime"],
        )
        self.attempt(mlflow.set_tag, "model_sha256", _sha256(file))


@contextmanager
def start_run(name: str, config: Config, card: DataCard) -> Iterator[Run]:
    """A new run with the parameters and the state of code and data that it starts from."""
    run = Run()
    tags = {"git_commit": _git_commit(), "data": card.title, "data_sha256": json.dumps(card.sha256)}
    run.attempt(lambda: mlflow.start_run(experiment_id=_experiment_id(), run_name=name, tags=tags))
    parameters = flatten(config)
    run.attempt(mlflow.log_params, {key: value for key, value in parameters.items() if not key.startswith("export.")})
    with _ended(run):
        yield run


@contextmanager
def resume_run(weights: Path) -> Iterator[Run]:
    """The run that made these weights, to add what came of them; a new one if this store does not know it."""
    run = Run()
    sha256 = _sha256(weights)

    def resume() -> None:
        found = mlflow.search_runs(
            [_experiment_id()], f"tags.{WEIGHTS_TAG} = '{sha256}'", max_results=1, output_format="list"
        )
        if found:
            mlflow.start_run(run_id=found[0].info.run_id)
        else:
            mlflow.start_run(experiment_id=_experiment_id(), run_name="pipeline", tags={WEIGHTS_TAG: sha256})

    run.attempt(resume)
    with _ended(run):
        yield run


@contextmanager
def _ended(run: Run) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        run.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        raise
    run.end("FINISHED")


def uri() -> str:
    """Address of the store."""
    return os.environ.get("MLFLOW_TRACKING_URI") or OWN_STORE


def _experiment_id() -> str:
    mlflow.set_tracking_uri(uri())
    found = mlflow.get_experiment_by_name(EXPERIMENT)
    if found:
        return found.experiment_id
    # A server decides itself where the files go; beside a database of our own, they go beside it.
    return mlflow.create_experiment(EXPERIMENT, (ROOT / "mlartifacts").as_uri() if uri() == OWN_STORE else None)


def _log_split(name: str, split: Split, card: DataCard) -> None:
    dataset = mlflow.data.numpy_dataset.from_numpy(
        split.images, targets=split.labels, name=f"{card.source}-{name}", digest=card.sha256[name][:32]
    )
    mlflow.log_input(dataset, context=name)


def _git_commit() -> str:
    """The commit that is checked out, marked if files differ from it; "none" outside a repository."""
    command = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    try:
        described = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:  # no git
        return "none"
    return described.stdout.strip() or "none"


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
