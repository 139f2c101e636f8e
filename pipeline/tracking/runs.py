"""MLflow, written to: what runs leave there. `registry.py` reads it; no other module imports mlflow.

Tracking serves training, never the other way round. A run writes each event into a journal in its output directory
first, then to the store; what the store missed, `python -m pipeline.replay` brings to it.
The store is mlflow.db (SQLite) in the repository, or the server that MLFLOW_TRACKING_URI names.
"""

import json
import os
import signal
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import onnx

from pipeline.base.errors import Pruned
from pipeline.base.files import file_sha256
from pipeline.base.paths import PROJECT, Outputs
from pipeline.config.schema import Config
from pipeline.config.values import flatten
from pipeline.dataset.splits import DataCard, Split, digest
from pipeline.network.history import Epoch
from pipeline.tracking import journal
from pipeline.tracking.environment import code_tags, describe, usage
from pipeline.tracking.journal import Event, Journal

# Where MLflow looks for them. Its own defaults wait 247 s at every call to a dead server.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import mlflow.data.numpy_dataset
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.models import ModelSignature, infer_signature
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT, MLFLOW_PARENT_RUN_ID

EXPERIMENT = "inkling"
OWN_STORE = f"sqlite:///{PROJECT / 'mlflow.db'}"
PATIENCE_S, OWN_PATIENCE_S = 10, 60  # what a run waits for a server, a database of its own; the journal keeps the rest
SWEEP = "INKLING_SWEEP"  # the variable by which a trial knows the sweep that it belongs to
# Tags that runs are found by. Each run has one of its own, so that a replay never makes a second run.
JOURNAL_TAG, STUDY_TAG = "journal", "study"
WEIGHTS_TAG = "weights_sha256"  # how the later stages find the run that made the weights they have
MODEL_TAG = "model_sha256"  # how a registration finds the run that exported the file
DATA_TAG = "data_sha256"


class Run:
    """One MLflow run."""

    def __init__(self, directory: Path, start: Event, is_online: bool = True) -> None:
        patience_s = 0 if not is_online else OWN_PATIENCE_S if uri().startswith("sqlite") else PATIENCE_S
        self.journal = Journal(directory, uri(), _send, patience_s)
        self._log = self.journal.append
        self.start = self._log("start", **start)

    def end(self, status: str) -> None:
        """End the run: FINISHED, FAILED or KILLED."""
        with closing(self.journal):
            self._log("end", status=status)

    def log_setting(self, config: Config) -> None:
        """Record the values that it runs with, the machine, and the versions of all packages."""
        self._log("parameters", values=parameters(config))
        self._log("text", file="environment.txt", text=describe())

    def log_data(self, splits: dict[str, Split], card: DataCard) -> None:
        """Record the images that were used, with their digests."""
        for name, split in splits.items():
            dataset = mlflow.data.numpy_dataset.from_numpy(
                split.images, targets=split.labels, name=f"{card.source}-{name}", digest=digest(split)[:32]
            )
            self._log("data", context=name, dataset=json.loads(dataset.to_json()))

    def log_epoch(self, epoch: Epoch, seconds: float) -> None:
        """Record the figures of an epoch, and what it used of the machine."""
        values = asdict(epoch)
        step = values.pop("epoch")
        self._log("metrics", values=values | {"epoch_seconds": seconds} | usage(), step=step)

    def log_results(self, outputs: Outputs, kept: Epoch, n_weights: int) -> None:
        """Record what training made: the epoch that is kept, the weights, the calibration, the curves."""
        self.log_metrics({f"kept_{name}": value for name, value in asdict(kept).items()} | {"n_weights": n_weights})
        self._log("tags", values={WEIGHTS_TAG: file_sha256(outputs.weights)})
        self._log_files("network", outputs.weights, outputs.calibration)
        self.log_plots(outputs.plot("curves.png"), outputs.plot("history.csv"))

    def log_plots(self, *files: Path) -> None:
        """Record pictures and their data."""
        self._log_files("plots", *files)

    def log_metrics(self, values: dict[str, float]) -> None:
        """Record final figures."""
        self._log("metrics", values=values, step=0)

    def log_export(self, parameters: dict[str, Any]) -> None:
        """Record the parameters of an export: as tags, because another export of the same run may change them."""
        self._log("tags", values={f"export.{key}": value for key, value in parameters.items()})

    def log_model(self, file: Path, example: dict[str, np.ndarray], answer: dict[str, np.ndarray]) -> None:
        """Record the model file with an example, and with its signature, from the example and its answer."""
        signature = infer_signature(example, answer).to_dict()
        shown = {name: array.tolist() for name, array in example.items()}
        self.journal.append_file("model", file, signature=signature, example=shown)

    def _log_files(self, folder: str, *files: Path) -> None:
        for file in files:
            self.journal.append_file("file", file, folder=folder)


@contextmanager
def start_run(name: str, config: Config, card: DataCard, outputs: Outputs) -> Iterator[Run]:
    """A new run with the parameters and the state of code and data that it starts from; in a sweep, a child of it."""
    sweep = _sweep()
    parent = sweep.get("start")
    swept = parent["tags"] if parent else {}  # a remote machine may have no git
    code = {name: swept.get(name, value) for name, value in code_tags().items()}
    tags = code | {"data": card.title, DATA_TAG: json.dumps(card.sha256)}
    run = Run(outputs.journals, _start(name, tags, parent=parent), is_online=sweep.get("is_online", True))
    with _ended(run):
        run.log_setting(config)
        yield run


@contextmanager
def resume_run(outputs: Outputs) -> Iterator[Run]:
    """The run that made the weights there, to add what came of them; a new one if the store does not know it."""
    sha256 = file_sha256(outputs.weights)
    replay(outputs.journals)  # what the store missed of that run comes first, or it is not found
    is_told = not journal.is_waiting(outputs.journals, sha256, json.dumps(uri()))
    run = Run(outputs.journals, _start("pipeline", {}, found_by=(WEIGHTS_TAG, sha256)), is_told)
    with _ended(run):
        yield run


@contextmanager
def start_sweep(name: str, directory: Path, study: str | None = None) -> Iterator[str]:
    """The run of a whole sweep, parent of the runs of its trials.

    Made before the first trial starts: of several processes that make a database and an experiment at once, some fail.

    Args:
        name: of the run.
        directory: of the sweep; pictures and tables that are left there are recorded.
        study: the ID of a search's study; one that was interrupted goes on in the same run.

    Yields:
        What the trials need to know, for their variable `SWEEP`.
    """
    start = _start(name, code_tags(), found_by=(STUDY_TAG, study) if study else None)
    run = Run(Outputs(directory).journals, start)
    with _ended(run):
        try:
            told = quote(json.dumps({"is_online": run.journal.is_sent, "start": run.start}))
            yield told.replace("~", "%7E")  # which Hydra takes for a deletion
        finally:
            if not _is_told_to_stop(sys.exc_info()[1]):
                journal.wait_for_trials(directory)
            replay(directory)  # before the end, which sums up what the store knows of the trials
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
        run.end("KILLED" if _is_told_to_stop(error) else "FAILED")
        raise
    run.end("FINISHED")


def _is_told_to_stop(error: BaseException | None) -> bool:
    return isinstance(error, KeyboardInterrupt) or (error is not None and error.args == (signal.SIGTERM,))  # by Ray


def replay(directory: Path) -> tuple[int, int]:
    """Tell the store what it missed of the runs below a directory, and the end of those whose process was killed.

    Returns:
        Numbers of runs that the store knows whole now, and that it still does not.
    """
    return journal.replay(directory, _send, PATIENCE_S)


def _start(name: str, tags: dict[str, str], parent: Event | None = None, found_by: Any = None) -> Event:
    """The first event of a run; it carries that of its sweep, so that whoever is first can make both."""
    key, value = found_by or (JOURNAL_TAG, uuid.uuid4().hex)
    return {"name": name, "found_by": key, "tags": resolve_tags(tags | {key: value}), "parent": parent}


def _send(run_id: str, event: Event) -> str:
    """Tell the store an event, once or again: what it knows already stays as it is. Returns the run's id."""
    client = mlflow.MlflowClient(event["store"])
    values = event.get("values", {})
    match event["kind"]:
        case "start":
            run_id = _find_or_create(client, event)
            client.update_run(run_id, "RUNNING")
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
    return run_id


def _find_or_create(client: mlflow.MlflowClient, start: Event) -> str:
    experiment = _experiment_id(client, start["store"])
    key, tags = start["found_by"], start["tags"]
    if found := client.search_runs([experiment], f"tags.{key} = '{tags[key]}'", max_results=1):
        return found[0].info.run_id
    if start["parent"]:
        tags = tags | {MLFLOW_PARENT_RUN_ID: _find_or_create(client, start["parent"])}
    return client.create_run(experiment, start["time"], tags, start["name"]).info.run_id


def _experiment_id(client: mlflow.MlflowClient, store: str) -> str:
    if found := client.get_experiment_by_name(EXPERIMENT):
        return found.experiment_id
    files = (PROJECT / "mlartifacts").as_uri() if store == OWN_STORE else None  # a server decides itself
    return client.create_experiment(EXPERIMENT, files)


def _send_model(client: mlflow.MlflowClient, run_id: str, event: Event, file: Path) -> None:
    if client.get_run(run_id).data.tags.get(MODEL_TAG) == event["sha256"]:
        return
    mlflow.set_tracking_uri(event["store"])
    signature = ModelSignature.from_dict(event["signature"])
    dtypes = {name: tensor.type for name, tensor in signature.inputs.input_dict().items()}
    with mlflow.start_run(run_id):  # the client alone would file the model under the experiment "Default"
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
    """At the end of a sweep, or of a trial that outlives it: how all ended; one that runs has lost its process."""
    run_id = run.data.tags.get(MLFLOW_PARENT_RUN_ID, run.info.run_id)
    children, order = f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run_id}'", ["metrics.kept_val_accuracy DESC"]
    trials = client.search_runs([run.info.experiment_id], children, max_results=10_000, order_by=order)
    if not trials or client.get_run(run_id).info.status == "RUNNING":  # it is no sweep, or not at its end
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
    """What a run is filed with, by dotted key: all but the export's, which is done again without another training."""
    return {key: value for key, value in flatten(config).items() if not key.startswith("export.")}


def uri() -> str:
    """Address of the store: that of the sweep, else the environment's, else our own."""
    sweep = _sweep()
    return sweep["start"]["store"] if sweep else os.environ.get("MLFLOW_TRACKING_URI") or OWN_STORE


def _sweep() -> dict[str, Any]:
    """What `start_sweep` told the trials; in a process that is none, nothing."""
    return json.loads(unquote(os.environ.get(SWEEP, "{}")))
