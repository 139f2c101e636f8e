"""The project's own store: made by several processes at once, moved, copied, damaged and deleted."""

import contextlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from pipeline.tracking import store
from tests.project import ENVIRONMENT, ROOT

RUNS = "SELECT name, status, experiment_id, artifact_uri FROM runs ORDER BY name"
EXPERIMENTS = "SELECT experiment_id, name, artifact_location FROM experiments"
FOLDER = "a project?x=1"  # `?` ends a SQLite address


def query(project, statement):
    with contextlib.closing(sqlite3.connect(project / "mlflow.db")) as connection, connection:
        return connection.execute(statement).fetchall()


def start(project, *arguments, **environment):
    """Start a module or, after `-c`, code in this project, and return the process."""
    command = [sys.executable, *(arguments if arguments[0] == "-c" else ("-m", *arguments))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT | {"DVC_ROOT": str(project)} | environment, **pipes)


def run(project, *arguments, **environment):
    process = start(project, *arguments, **environment)
    printed, _ = process.communicate()
    assert process.returncode == 0, printed
    return printed


def record(project, *names):
    """Record a run of each name, all at once."""
    for process in [start(project, "tests.pipeline.tracking.record", name) for name in names]:
        printed, _ = process.communicate()
        assert process.returncode == 0, printed


def artifacts(project):
    """Return the artifact of each run, from the folder that the run names."""
    return {name: (project / location / "plots/plot.csv").read_text() for name, _, _, location in query(project, RUNS)}


@pytest.fixture(scope="module")
def recorded(fill_once):
    """A project with two runs that were the first, at once; tests must not change it."""

    def fill(directory):
        project = directory / FOLDER
        project.mkdir(parents=True)
        record(project, "a", "b")

    return fill_once("recorded", fill) / FOLDER


@pytest.fixture
def copied(recorded, tmp_path):
    return shutil.copytree(recorded, tmp_path / "copy")


@pytest.mark.workflow
def test_the_first_two_runs_at_once_share_one_experiment(recorded):
    assert query(recorded, EXPERIMENTS)[1:] == [(1, "inkling", "mlartifacts")]
    assert [row[:3] for row in query(recorded, RUNS)] == [("a", "FINISHED", 1), ("b", "FINISHED", 1)]
    assert not list(recorded.parent.glob("*run*"))
    assert not list(recorded.rglob("*.jsonl"))


@pytest.mark.workflow
def test_a_moved_or_copied_project_keeps_its_artifacts_and_writes_into_itself(recorded, copied):
    for table, column in store.LOCATIONS:  # MLflow's own addresses are absolute
        query(copied, f"UPDATE {table} SET {column} = 'file:///elsewhere/' || {column}")
    before = {file: file.read_bytes() for file in recorded.rglob("*") if file.is_file()}
    record(copied, "c")
    assert query(copied, EXPERIMENTS)[1:] == [(1, "inkling", "mlartifacts")]
    assert artifacts(copied) == {name: f"of {name}" for name in "abc"}
    assert {file: file.read_bytes() for file in recorded.rglob("*") if file.is_file()} == before


@pytest.mark.workflow
def test_a_replay_in_a_copy_does_not_touch_the_original_and_ends_the_copys_run(recorded, tmp_path):
    original = shutil.copytree(recorded, tmp_path / "original")
    process = start(original, "tests.pipeline.tracking.record", "running", "--wait")
    assert process.stdout.readline() == "recording\n"
    copy = shutil.copytree(original, tmp_path / "copy")
    before = (original / "mlflow.db").read_bytes()
    run(copy, "pipeline.replay", str(copy))
    assert (original / "mlflow.db").read_bytes() == before
    assert query(copy, RUNS)[2][:2] == ("running", "KILLED")
    assert query(copy, "SELECT count(*) FROM runs WHERE end_time < start_time") == [(0,)]
    process.communicate("\n")
    assert query(original, RUNS)[2][:2] == ("running", "FINISHED")


@pytest.mark.workflow
def test_a_replay_does_not_change_the_status_of_a_run_that_ended_in_a_shared_store(recorded, tmp_path):
    shared = shutil.copytree(recorded, tmp_path / "shared")
    address = f"sqlite:///{shared / 'mlflow.db'}"
    process = start(tmp_path, "tests.pipeline.tracking.record", "shared-run", "--wait", MLFLOW_TRACKING_URI=address)
    assert process.stdout.readline() == "recording\n"
    copy = shutil.copytree(tmp_path / "shared-run", tmp_path / "copy")
    process.communicate("\n")
    run(tmp_path, "pipeline.replay", str(copy))
    assert query(shared, RUNS)[2][:2] == ("shared-run", "FINISHED")


@pytest.mark.parametrize("statement", ["CREATE TABLE experiments (name)", "CREATE TABLE _alembic_tmp_experiments (a)"])
def test_a_database_that_was_left_half_made_is_replaced(tmp_path, statement, monkeypatch):
    made = []
    monkeypatch.setattr(store, "_add_experiment", lambda file: made.append(shutil.copy(tmp_path / "good", file)))
    monkeypatch.setattr(store, "PROJECT", tmp_path)
    monkeypatch.setattr(store, "OUTPUTS", tmp_path / "outputs")
    monkeypatch.setattr(store, "DATABASE", tmp_path / "mlflow.db")
    query(tmp_path, "CREATE TABLE experiments (experiment_id, name, artifact_location)")
    query(tmp_path, "INSERT INTO experiments VALUES (1, 'inkling', 'mlartifacts')")
    (tmp_path / "mlflow.db").rename(tmp_path / "good")
    query(tmp_path, statement)
    store._prepare_own.__wrapped__()
    store._prepare_own.__wrapped__()
    assert query(tmp_path, EXPERIMENTS) == [(1, "inkling", "mlartifacts")]
    assert len(made) == 1


@pytest.mark.workflow
def test_a_process_that_is_killed_while_it_makes_the_database_costs_no_run(tmp_path):
    process = start(tmp_path, "tests.pipeline.tracking.record", "killed")
    while not (new := tmp_path / "outputs/new-mlflow.db").exists() or new.stat().st_size < 100_000:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    record(tmp_path, "next")
    run(tmp_path, "pipeline.replay", str(tmp_path))
    assert [row[:2] for row in query(tmp_path, RUNS)] == [("killed", "KILLED"), ("next", "FINISHED")]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_killed", [0, 1])
def test_ten_first_runs_at_once_share_one_experiment(tmp_path, seed, n_killed):
    names = [f"run{number}" for number in range(10)]
    processes = [start(tmp_path, "tests.pipeline.tracking.record", name) for name in names]
    if n_killed:
        while not (tmp_path / "outputs/new-mlflow.db").exists():
            time.sleep(0.01)
        time.sleep(random.Random(seed).uniform(0, 3))
        processes[seed].kill()
    for process in processes:
        process.communicate()
    run(tmp_path, "pipeline.replay", str(tmp_path))
    rows = query(tmp_path, RUNS)
    assert {row[2] for row in rows} == {1}
    assert [row[1] for row in rows if row[0] != f"run{seed}"] == ["FINISHED"] * 9
    assert n_killed or len(rows) == 10


@pytest.mark.parametrize(("address", "is_there"), [("{}/gone", False), ("file://{}/here", True), ("http://a", True)])
def test_only_an_existing_store_is_searched(tmp_path, address, is_there):
    (tmp_path / "here").touch()
    assert store.exists(address.format(tmp_path)) == is_there
