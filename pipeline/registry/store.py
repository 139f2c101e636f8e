"""Read runs from MLflow, and read and write its model registry.

All functions raise RegistryError if MLflow does not answer or does not have the item.
"""

import ast
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Run as MlflowRun
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from pipeline.base.errors import RegistryError
from pipeline.base.files import file_sha256
from pipeline.base.paths import Outputs
from pipeline.network.history import Epoch
from pipeline.tracking import store
from pipeline.tracking.journal import first_line
from pipeline.tracking.runs import DIVERGED_TAG, MODEL_TAG, WEIGHTS_TAG
from pipeline.tracking.store import uri

os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # a model file has only a megabyte

MODEL = "digits"
ACCURACY = "kept_val_accuracy"  # metric of a training that decides between settings
CHAMPION = "champion"  # alias of the version to serve
CHALLENGER = "challenger"  # alias of the latest version
SIGNATURE_TAG = "signature"
ALL = 50_000  # the largest number of runs for which MLflow can be asked


@dataclass(frozen=True)
class Trial:
    """An MLflow run of a training."""

    run_id: str
    name: str
    status: str  # FINISHED, if nothing went wrong
    parameters: dict[str, str]  # by dotted key, as `str` writes the values
    metrics: dict[str, float]  # the last value of each
    tags: dict[str, str]  # the run's code and data, and digests of its results
    seconds: float  # duration of all epochs
    experiment: str  # ID of MLflow's experiment

    @property
    def failure(self) -> str | None:
        """The reason why the run has no result to compare, or None if it has one."""
        if self.status != "FINISHED":
            return f"it is {self.status}"
        if "pruned" in self.tags:
            return "it was pruned by the search"
        if DIVERGED_TAG in self.tags:
            return "its training diverged"
        return None if ACCURACY in self.metrics else f"it has no {ACCURACY}"

    @property
    def accuracy(self) -> float:
        """Validation accuracy of the kept epoch, 0 to 1."""
        return self.metrics[ACCURACY]

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of the run and of its last export, as typed values."""
        exported = {key: text for key, text in self.tags.items() if key.startswith("export.")}
        return {key: _parse(text) for key, text in (self.parameters | exported).items()}


def _parse(text: str) -> Any:
    """Convert the output of `str` back to a number, a bool, None, a list or a string."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def find_trials(condition: str, max_results: int = ALL) -> list[Trial]:
    """Return the runs of this project that match a condition of MLflow's search, latest first."""
    with _store() as client:
        if not (experiment := store.find_experiment(client)):
            return []
        order = ["attributes.start_time DESC"]
        runs = client.search_runs([experiment], condition, max_results=max_results, order_by=order)
        return [_trial(client, run) for run in runs]


def load_trial(run_id: str) -> Trial:
    """Return a run."""
    with _store() as client:
        return _trial(client, client.get_run(run_id))


def load_sweep(run_id: str | None = None) -> list[Trial]:
    """Return the trials of the sweep with this run ID, or of the latest sweep."""
    if not run_id:
        latest = find_trials(f"tags.`{MLFLOW_PARENT_RUN_ID}` LIKE '%'", max_results=1)
        run_id = latest[0].tags[MLFLOW_PARENT_RUN_ID] if latest else ""
    if not (trials := find_trials(f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run_id}'")):
        do = "run `python -m pipeline.train -m ...`, or name the run ID of a sweep's parent or a --run"
        raise RegistryError(f"MLflow at {uri()} has no sweep {run_id!r}: {do}")
    return trials


def find_trial(weights: Path) -> Trial | None:
    """Return the latest run that made these weights, or None."""
    return next(iter(find_trials(f"tags.{WEIGHTS_TAG} = '{file_sha256(weights)}'", max_results=1)), None)


def find_export(model_sha256: str) -> Trial:
    """Return the latest run that exported this model file."""
    if not (found := find_trials(f"tags.{MODEL_TAG} = '{model_sha256}'", max_results=1)):
        do = "run `dvc repro --force --single-item export`"
        raise RegistryError(f"MLflow at {uri()} has no run that exported the file {model_sha256[:12]}: {do}")
    return found[0]


def find_experiment(name: str, parameters: Mapping[str, object]) -> Trial | None:
    """Return the latest finished run of an experiment with these values. Its other parameters may have any value."""
    wanted = {key: str(value) for key, value in parameters.items()}
    trials = find_trials(f"attributes.status = 'FINISHED' and params.`experiment.name` = '{name}'")
    return next((trial for trial in trials if wanted.items() <= trial.parameters.items()), None)


def load_history(run_id: str) -> list[Epoch]:
    """Return the metrics of each epoch of a run."""
    names = [one.name for one in fields(Epoch) if one.name != "epoch"]
    with _store() as client:
        series = {name: {one.step: one.value for one in client.get_metric_history(run_id, name)} for name in names}
    return [Epoch(epoch, *(series[name][epoch] for name in names)) for epoch in sorted(series["val_accuracy"])]


def fetch_network(run_id: str, outputs: Outputs) -> None:
    """Copy the weights and the calibration of a run to the paths that `load_reader` reads."""
    with _store():
        source = f"runs:/{run_id}/network"
        Path(mlflow.artifacts.download_artifacts(source, dst_path=str(outputs.directory))).rename(
            outputs.weights.parent
        )


def log_files(run_id: str, folder: str, *files: Path) -> None:
    """Add files to a run, also to one that has ended."""
    with _store() as client:
        for file in files:
            client.log_artifact(run_id, str(file.resolve()), folder)


def address_of(experiment: str, run_id: str) -> str:
    """Return the web address of a run: on the server, or on the page that `make ui` serves."""
    server = uri() if uri().startswith("http") else "http://127.0.0.1:5000"
    return f"{server}/#/experiments/{experiment}/runs/{run_id}"


@dataclass(frozen=True)
class Version:
    """A version of the registered model."""

    number: str
    sha256: str  # of the model file
    run_id: str = field(default="", compare=False)  # the run that exported it
    commit: str = field(default="", compare=False)  # HEAD when it was registered
    aliases: Sequence[str] = field(default=(), compare=False)  # such as "champion"
    signature: str = field(default="", compare=False, repr=False)  # of the model file, if it was signed


def versions() -> dict[str, Version]:
    """Return all versions of the model, by number and by alias."""
    with _store() as client:
        if not (models := client.search_registered_models(f"name = '{MODEL}'")):
            return {}
        numbers = {alias: str(number) for alias, number in sorted(models[0].aliases.items())}
        found = sorted(client.search_model_versions(f"name = '{MODEL}'"), key=lambda one: int(one.version))
        by_number = {
            version.number: replace(version, aliases=[alias for alias in numbers if numbers[alias] == version.number])
            for version in map(_version, found)
        }
        return by_number | {alias: by_number[number] for alias, number in numbers.items()}


def add_version(export: Trial) -> Version:
    """Add the model file of a run unless the registry has it. Give the version the alias `CHALLENGER`."""
    sha256 = export.tags[MODEL_TAG]
    version = next((one for one in versions().values() if one.sha256 == sha256), None)
    with _store() as client:
        if not version:
            latest = [{"field_name": "creation_time", "ascending": False}]  # the run may have exported several times
            models = client.search_logged_models(
                [export.experiment], f"source_run_id = '{export.run_id}'", order_by=latest
            )
            if not models:
                raise RegistryError(f"MLflow at {uri()} has no model of the run {export.run_id}: export it again")
            version = _version(mlflow.register_model(models[0].model_uri, MODEL, tags={MODEL_TAG: sha256}))
        client.set_registered_model_alias(MODEL, CHALLENGER, version.number)
    return version


def tag_version(version: Version, tags: Mapping[str, str], is_champion: bool = False) -> None:
    """Add tags to a version, and give it the alias `CHAMPION`."""
    with _store() as client:
        for name, text in tags.items():
            client.set_model_version_tag(MODEL, version.number, name, text)
        if is_champion:
            client.set_registered_model_alias(MODEL, CHAMPION, version.number)


def read_model(version: Version) -> bytes:
    """Return the model file of a version; raise RegistryError if the bytes are not those that were registered."""
    with _store(), tempfile.TemporaryDirectory() as directory:
        source = f"models:/{MODEL}/{version.number}/model.onnx"
        content = Path(mlflow.artifacts.download_artifacts(source, dst_path=directory)).read_bytes()
    if hashlib.sha256(content).hexdigest() != version.sha256:
        raise RegistryError(f"the file of version {version.number} is not the one that was registered: register again")
    return content


@contextmanager
def _store() -> Iterator[mlflow.MlflowClient]:
    try:
        with store.opened(uri()) as client:
            yield client
    except MlflowException as error:
        raise RegistryError(f"MLflow at {uri()}: {first_line(error)}") from error


def _version(one: ModelVersion) -> Version:
    tags = one.tags
    return Version(
        str(one.version), tags.get(MODEL_TAG, ""), one.run_id or "", tags.get("git_commit", ""),
        signature=tags.get(SIGNATURE_TAG, ""),
    )  # fmt: skip


def _trial(client: mlflow.MlflowClient, run: MlflowRun) -> Trial:
    info, data = run.info, run.data
    seconds = sum(metric.value for metric in client.get_metric_history(info.run_id, "epoch_seconds"))
    return Trial(
        info.run_id, info.run_name, info.status, data.params, data.metrics, data.tags, seconds, info.experiment_id
    )
