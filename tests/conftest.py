"""TensorFlow's threads, and what is made once for all worker processes of a run."""

import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.project import Project, committed_copy

# A shell lets a background command ignore Ctrl+C, and each process that the tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# With these, 800 images teach a network something in seconds.
SMALL = [
    "size=smoke", "data.source=embedded", "model.width=0.25", "train.epochs=6", "train.batch_size=32",
    "train.warmup_epochs=0", "train.ema_decay=0.9",
]  # fmt: skip


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their length: gzip writes the time into them, and all workers must agree on the names."""
    return f"{argname}_{len(val)}" if isinstance(val, bytes) else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Set TensorFlow's threads, seeds and precision before each test, so that the order of the tests does not matter.

    A process can set the threads only before TensorFlow starts. A test that does not load it does not wait for it.
    """
    if "tensorflow" in sys.modules:
        from pipeline.runtime.mode import FOR_DATA, set_up

        set_up(FOR_DATA, seed=0)


FillOnce = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def fill_once(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> FillOnce:
    """Return a function that fills a directory once for all worker processes, and returns its path."""
    import fcntl  # Windows has none

    base = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):  # a worker of pytest-xdist has its own directory below
        base = base.parent

    def fill_directory(name: str, fill: Callable[[Path], object]) -> Path:
        directory, done = base / name, base / f"{name}.done"
        with (base / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(directory, ignore_errors=True)
                fill(directory)
                done.touch()
        return directory

    return fill_directory


@pytest.fixture(scope="session")
def trained(fill_once: FillOnce) -> Project:
    """A git repository in which `dvc repro` trained a small model, committed; tests must not change it."""

    def fill(directory: Path) -> None:
        project = committed_copy(directory, SMALL)
        project.write("outputs/repro.log", project.run("dvc", "repro"))
        project.commit()

    return Project(fill_once("trained", fill))


@pytest.fixture(scope="session")
def copy_trained(trained: Project) -> Callable[[Path], Project]:
    """Return a function that copies the trained project, without its MLflow store, for a test that changes it."""

    def copy(directory: Path) -> Project:
        shutil.copytree(trained.directory, directory, ignore=shutil.ignore_patterns("mlflow.db", "mlartifacts"))
        return Project(directory)

    return copy
