"""The tracking store: the server at MLFLOW_TRACKING_URI, otherwise mlflow.db (SQLite) in this checkout.

The addresses of the own store are relative to the checkout, so that it can be moved or copied with its runs.
"""

import contextlib
import fcntl
import functools
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow

from pipeline.base.addresses import without_credentials
from pipeline.base.errors import RegistryError
from pipeline.base.paths import OUTPUTS, PROJECT
from pipeline.tracking.grid import sweep_of_trial

EXPERIMENT = "inkling"
OWN_STORE = "sqlite:///mlflow.db"
DATABASE, ARTIFACTS = PROJECT / "mlflow.db", "mlartifacts"
# Columns that hold the address of an artifact.
LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)


def uri() -> str:
    """Return the address of the store, without credentials: the sweep's, otherwise that of this process."""
    sweep = sweep_of_trial()
    return sweep["start"]["store"] if sweep else without_credentials(_full_uri())


def _full_uri() -> str:
    return os.environ.get("MLFLOW_TRACKING_URI") or OWN_STORE


@contextlib.contextmanager
def opened(store: str) -> Iterator[mlflow.MlflowClient]:
    """Open a store, and make it MLflow's default.

    Args:
        store: an address as `uri` returns it. Its credentials are those of this process, if it has the same address.
    """
    with contextlib.ExitStack() as stack:
        if store == OWN_STORE:
            stack.enter_context(contextlib.chdir(PROJECT))  # MLflow resolves relative addresses against it
            _prepare_own()
        elif without_credentials(_full_uri()) == store:
            store = _full_uri()
        mlflow.set_tracking_uri(store)
        yield mlflow.MlflowClient(store)


def exists(store: str) -> bool:
    """Return whether a store exists. Opening it is no test, because MLflow creates a missing store."""
    kind, _, place = store.rpartition("://")
    if kind not in ("", "file", "sqlite"):
        return True
    return (PROJECT / (place.removeprefix("/") if kind == "sqlite" else place)).exists()


def find_experiment(client: mlflow.MlflowClient) -> str | None:
    """Return the ID of the project's experiment, or None.

    Raises:
        RegistryError: the experiment was deleted.
    """
    found = client.get_experiment_by_name(EXPERIMENT)
    if found and found.lifecycle_stage == "deleted":
        do = f"restore it with `mlflow experiments restore --experiment-id {found.experiment_id}`"
        raise RegistryError(f"the experiment {EXPERIMENT!r} was deleted: {do}")
    return found.experiment_id if found else None


@functools.cache  # once per process
def _prepare_own() -> None:
    """Make the own database, with the project's experiment, unless it is there.

    Several processes may start at once, and each may be killed: one of them makes the database in another file, and
    renames it when it is complete. A database that MLflow itself left half made has no runs, so it is replaced.
    """
    OUTPUTS.mkdir(exist_ok=True)
    with (OUTPUTS / "mlflow.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_complete(DATABASE):
            new = OUTPUTS / "new-mlflow.db"
            new.unlink(missing_ok=True)
            _add_experiment(new)
            new.replace(DATABASE)
        elif not _query(DATABASE, "SELECT 1 FROM experiments WHERE name = ?", EXPERIMENT):
            _add_experiment(DATABASE)
        _make_relative(DATABASE)


def _is_complete(database: Path) -> bool:
    """Return whether MLflow finished making the database: only then does it have an experiment."""
    with contextlib.suppress(sqlite3.Error):
        return database.exists() and bool(_query(database, "SELECT 1 FROM experiments"))
    return False


def _add_experiment(database: Path) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    # Relative, because an address can't hold every path: `?` ends it.
    store = SqlAlchemyStore(f"sqlite:///{database.relative_to(PROJECT)}", ARTIFACTS)
    store.create_experiment(EXPERIMENT, ARTIFACTS)
    store.engine.dispose()


def _make_relative(database: Path) -> None:
    """Make the addresses of the artifacts relative; MLflow makes them absolute where it creates an experiment."""
    ((location,),) = _query(database, "SELECT artifact_location FROM experiments WHERE name = ?", EXPERIMENT)
    if not location.endswith(f"/{ARTIFACTS}"):
        return
    parent = location.removesuffix(ARTIFACTS)
    for table, column in LOCATIONS:
        rest, begin = f"substr({column}, {len(parent) + 1})", f"substr({column}, 1, {len(parent)})"
        _query(database, f"UPDATE {table} SET {column} = {rest} WHERE {begin} = ?", parent)  # noqa: S608


def _query(database: Path, statement: str, *values: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        return connection.execute(statement, values).fetchall()
