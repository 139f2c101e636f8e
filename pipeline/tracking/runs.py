"""Record runs in MLflow.

Tracking observes a training, and its errors never end one. A run first writes each event into a journal in its output
directory, then sends it to the store; `python -m pipeline.replay` sends what the store missed.
"""

import json
import math
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import mlflow.data.numpy_dataset
import numpy as np
import onnx
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.models import ModelSignature, infer_signature
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT, MLFLOW_PARENT_RUN_ID

from pipeline.base.classes import N_CLASSES
from pipeline.base.errors import Pruned
from pipeline.base.files import file_sha256, write_json
from pipeline.base.paths import Outputs
from pipeline.config.schema import Config
from pipeline.config.values import flatten
from pipeline.dataset.splits import DataCard, Split, digest
from pipeline.network.history import Epoch
from pipeline.tracking import journal
from pipeline.tracking.environment import code_tags, describe, usage
from pipeline.tracking.grid import sweep_of_trial
from pipeline.tracking.journal import Event, Journal
from pipeline.tracking.store import EXPERIMENT, find_experiment, opened, uri

PATIENCE_S, OWN_PATIENCE_S = 10, 60  # seconds that a run waits for a server, and for its own database
# Each run has this tag, or that of a search or grid, so that a replay finds it and makes no second one.
JOURNAL_TAG = "journal"
WEIGHTS_TAG = "weights_sha256"  # by which later stages find the run that made the weights
MODEL_TAG = "model_sha256"  # by which a registration finds the run that exported the file
DATA_TAG = "data_sha256"
DIVERGED_TAG = "diverged"
DIVERGED_LOSS = 2 * math.log(N_CLASSES)  # twice the loss of a network that gives each class the same probability


class Run:
    """One MLflow run."""

    def __init__(self, directory: Path, start: Event, is_online: bool = True) -> None:
        patience_s = 0 if not is_online else OWN_PATIENCE_S if uri().startswith("sqlite") else PATIENCE_S
        self.journal = Journal(directory, uri(), _send, patience_s)
        self._log = self.journal.append
        self.start = self._log("start", **start)
        self._last: Epoch | None = None

    def end(self, status: str) -> None:
        """End the run: FINISHED, FAILED or KILLED."""
        with closing(self.journal):
            self._log("end", status=status)

    def log_data(self, splits: dict[str, Split], card: DataCard) -> None:
        """Record the names and digests of the images."""
        for name, split in splits.items():
            dataset = mlflow.data.numpy_dataset.from_numpy(
                split.images, targets=split.labels, name=f"{card.source}-{name}", digest=digest(split)[:32]
            )
            self._log("data", context=name, dataset=json.loads(dataset.to_json()))

    def log_epoch(self, epoch: Epoch, seconds: float) -> None:
        """Record the metrics of an epoch and of the machine."""
        self._last, values = epoch, asdict(epoch)
        step = values.pop("epoch")
        self._log("metrics", values=values | {"epoch_seconds": seconds} | usage(), step=step)

    def log_results(self, outputs: Outputs, kept: Epoch, n_weights: int) -> None:
        """Record the results of a training: the kept epoch, the weights, the calibration, the curves."""
        self.log_metrics({f"kept_{name}": value for name, value in asdict(kept).items()} | {"n_weights": n_weights})
        tags = {WEIGHTS_TAG: file_sha256(outputs.weights)}
        if self._last and max(self._last.loss, self._last.val_loss) > DIVERGED_LOSS:
            tags[DIVERGED_TAG] = "true"
        self._log("tags", values=tags)
        self._log_files("network", outputs.weights, outputs.calibration)
        self.log_plots(outputs.plot("curves.png"), outputs.plot("history.csv"))

    def log_plots(self, *files: Path) -> None:
        """Record plots and their data."""
        self._log_files("plots", *files)

    def log_metrics(self, values: dict[str, float]) -> None:
        """Record final metrics."""
        self._log("metrics", values=values, step=0)

    def log_export(self, parameters: dict[str, Any]) -> None:
        """Record the parameters of an export, as tags: another export of the same run may change them."""
        self._log("tags", values={f"export.{key}": value for key, value in parameters.items()})

    def log_model(self, file: Path, example: dict[str, np.ndarray], answer: dict[str, np.ndarray]) -> None:
        """Record the model file with an example, and with the signature of the example and its answer."""
        signature = infer_signature(example, answer).to_dict()
        shown = {name: array.tolist() for name, array in example.items()}
        self.journal.append_file("model", file, signature=signature, example=shown)

    def _log_files(self, folder: str, *files: Path) -> None:
        for file in files:
            self.journal.append_file("file", file, folder=folder)


@contextmanager
def start_run(name: str, config: Config, card: DataCard, outputs: Outputs) -> Iterator[Run]:
    """Start a run with its parameters and the state of code and data; within a sweep, as a child of it."""
    sweep = sweep_of_trial()
    parent = sweep.get("start")
    code = code_tags()
    if parent:  # a remote machine may have no git
        code = {key: parent["tags"][key] for key in code}
    tags = code | {"data": card.title, DATA_TAG: json.dumps(card.sha256)}
    run = Run(outputs.journals, _start(name, tags, parent=parent), is_online=sweep.get("is_online", True))
    with _ended(run):
        run.journal.append("parameters", values=parameters(config))
        run.journal.append("text", file="environment.txt", text=describe())
        yield run


@contextmanager
def resume_run(outputs: Outputs) -> Iterator[Run]:
    """Resume the run that made the weights; start a new one if the store does not have it."""
    sha256 = file_sha256(outputs.weights)
    replay(outputs.journals)  # an unsent run would not be found
    is_online = not journal.is_waiting(outputs.journals, sha256, json.dumps(uri()))
    run = Run(outputs.journals, _start("pipeline", {}, found_by=(WEIGHTS_TAG, sha256)), is_online)
    with _ended(run):
        yield run


@contextmanager
def start_sweep(name: str, directory: Path, found_by: tuple[str, str]) -> Iterator[Path]:
    """Start the run of a sweep, the parent of the runs of its trials. Yield the path for the trials' variable `SWEEP`.

    It starts before the first trial, so that all trials find it.
    `found_by` is a tag and its value, by which a sweep that is continued finds its run.
    """
    start = _start(name, code_tags(), found_by=found_by)
    run = Run(Outputs(directory).journals, start)
    file = directory / "sweep.json"
    write_json(file, {"is_online": not run.journal.unsent, "start": run.start})
    with _ended(run):
        try:
            yield file
        finally:
            if not isinstance(sys.exception(), KeyboardInterrupt):  # SIGTERM raises it too
                journal.wait_for_trials(directory)
            replay(directory)  # before the end, which counts the trials in the store
            run.log_plots(*sorted([*directory.glob("*.csv"), *directory.glob("*.png")]))


@contextmanager
def _ended(run: Run) -> Iterator[None]:
    try:
        yield
    except Pruned:
        run.journal.append("tags", values={"pruned": "true"})
        run.end("FINISHED")
        raise
    except BaseException as error:
        run.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        raise
    run.end("FINISHED")


def replay(directory: Path) -> tuple[int, int]:
    """Send the events that the store missed, and end runs whose process was killed; see `journal.replay`."""
    return journal.replay(directory, _resend, PATIENCE_S)


def _start(name: str, tags: dict[str, str], parent: Event | None = None, found_by: Any = None) -> Event:
    """Return the first event of a run. It contains the first event of its sweep: a trial may have to create both."""
    key, value = found_by or (JOURNAL_TAG, uuid.uuid4().hex)
    return {"name": name, "found_by": key, "tags": resolve_tags(tags | {key: value}), "parent": parent}


def _send(run_id: str, event: Event) -> str:
    """Send an event to the store. Idempotent. Return the run ID."""
    with opened(event["store"]) as client:
        if event["kind"] == "start":
            run_id = _find_or_create(client, event)
            client.update_run(run_id, "RUNNING")
        else:
            _add(client, run_id, event)
    return run_id


def _resend(run_id: str, event: Event) -> str:
    """Send an event of an earlier time, like `_send`. A run that has ended keeps its status.

    It may have ended since: the journal may belong to a copy of the project that was made while the run went on.
    """
    with opened(event["store"]) as client:
        if event["kind"] == "start":
            return _find_or_create(client, event)
        if event["kind"] != "end" or client.get_run(run_id).info.status == "RUNNING":
            _add(client, run_id, event)
    return run_id


def _add(client: mlflow.MlflowClient, run_id: str, event: Event) -> None:
    values = event.get("values", {})
    match event["kind"]:
        case "parameters":
            client.log_batch(run_id, params=[Param(key, str(value)) for key, value in values.items()])
        case "metrics":
            step, when = event["step"], event["time"]
            client.log_batch(run_id, metrics=[Metric(key, value, when, step) for key, value in values.items()])
        case "text":
            client.log_text(run_id, event["text"], event["file"])
        case "tags":
            client.log_batch(run_id, tags=[RunTag(key, str(value)) for key, value in values.items()])
        case "data":
            context = InputTag(MLFLOW_DATASET_CONTEXT, event["context"])
            client.log_inputs(run_id, [DatasetInput(Dataset(**event["dataset"]), [context])])
        case "file" if file := journal.content(event):
            client.log_artifact(run_id, str(file), event["folder"])
        case "model" if file := journal.content(event):
            _send_model(client, run_id, event, file)
        case "end":
            client.set_terminated(run_id, event["status"], event["time"])
            _sum_up(client, client.get_run(run_id))


def _find_or_create(client: mlflow.MlflowClient, start: Event) -> str:
    experiment = find_experiment(client) or client.create_experiment(EXPERIMENT)
    key, tags = start["found_by"], start["tags"]
    if runs := client.search_runs([experiment], f"tags.{key} = '{tags[key]}'", max_results=1):
        return runs[0].info.run_id
    if start["parent"]:
        tags = tags | {MLFLOW_PARENT_RUN_ID: _find_or_create(client, start["parent"])}
    return client.create_run(experiment, start["time"], tags, start["name"]).info.run_id


def _send_model(client: mlflow.MlflowClient, run_id: str, event: Event, file: Path) -> None:
    if client.get_run(run_id).data.tags.get(MODEL_TAG) == event["sha256"]:
        return
    signature = ModelSignature.from_dict(event["signature"])
    dtypes = {name: tensor.type for name, tensor in signature.inputs.input_dict().items()}
    with mlflow.start_run(run_id):  # a client would put the model into the experiment "Default"
        mlflow.onnx.log_model(
            onnx.load(file),
            name="digits",
            signature=signature,
            input_example={name: np.array(pixels, dtypes[name]) for name, pixels in event["example"].items()},
            onnx_execution_providers=["CPUExecutionProvider"],
            save_as_external_data=False,
            pip_requirements=["onnxruntime"],
        )
    client.set_tag(run_id, MODEL_TAG, event["sha256"])


def _sum_up(client: mlflow.MlflowClient, run: mlflow.entities.Run) -> None:
    """Count the trials at the end of a sweep, or of a trial that ends after it. A trial without an end was killed."""
    run_id = run.data.tags.get(MLFLOW_PARENT_RUN_ID, run.info.run_id)
    children, order = f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run_id}'", ["metrics.kept_val_accuracy DESC"]
    trials = client.search_runs([run.info.experiment_id], children, max_results=10_000, order_by=order)
    if not trials or client.get_run(run_id).info.status == "RUNNING":  # not a sweep, or not ended
        return
    n_ended = Counter(trial.info.status.replace("RUNNING", "KILLED") for trial in trials)
    for trial in filter(lambda trial: trial.info.status == "RUNNING", trials):
        client.set_terminated(trial.info.run_id, "KILLED")
    for status in ("FINISHED", "FAILED", "KILLED"):
        client.log_metric(run_id, f"n_{status.lower()}", n_ended[status])
    if (accuracy := trials[0].data.metrics.get("kept_val_accuracy")) is not None:
        client.log_metric(run_id, "best_val_accuracy", accuracy)
        client.set_tag(run_id, "best_run", trials[0].info.run_id)


def parameters(config: Config) -> dict[str, Any]:
    """Return the parameters of a run by dotted key, without those of the export, which a run may repeat."""
    return {key: value for key, value in flatten(config).items() if not key.startswith("export.")}
