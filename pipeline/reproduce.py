"""Run DVC for commands that need more than `dvc repro`.

python -m pipeline.reproduce update    bring models/digits.onnx up to date; run only stages that have changed
python -m pipeline.reproduce all       run every stage
python -m pipeline.reproduce demo      run every stage on the embedded data in a temporary copy, and serve that model
"""

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from dvc.exceptions import DvcException, ReproductionError
from dvc.repo import Repo
from scmrepo.exceptions import SCMError

from pipeline.base.errors import InklingError
from pipeline.base.paths import ROOT
from pipeline.config.values import dump, load_config
from serving.errors import SettingsError
from serving.settings import Settings

# Files that are not in git, and the state of git and DVC, which the copy must not share with the original.
NOT_COPIED = {".git", ".venv", "node_modules", ".dvc", "data", "models", "metrics", "plots", "outputs",
              "dvc_plots", "dvc.lock", "mlflow.db", "optuna.db", "mlartifacts", "mlruns",
              ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache"}  # fmt: skip
PATIENCE_S = 10  # for a stage to end after SIGTERM; a training ends between two epochs


def update() -> None:
    """Run the stages whose code, parameters or inputs have changed, and the stages after them.

    Data that is absent, as in a fresh clone, does not make a stage run, because dvc.lock has its hashes. Weights and
    data that an experiment has left do not make a stage run either. If a stage has to run, its absent inputs are made.
    """
    if not (ROOT / ".git").exists():  # an unpacked archive
        _dvc(ROOT, "config", "--local", "core.no_scm", "true")
    if outdated():
        put_back()
    if outdated():
        reason = "code, parameters or inputs of models/digits.onnx have changed: running the stages that depend on them"
        print(f"{reason}, possibly including the training; `make serve` serves the current file", flush=True)
        repro(ROOT)
    else:
        print("models/digits.onnx is up to date with the code, params.yaml and dvc.lock")


@contextmanager
def _dvc_repo() -> Iterator[Repo]:
    try:
        with Repo(str(ROOT)) as repo:
            yield repo
    except (DvcException, SCMError) as error:
        raise InklingError(f"DVC can't read this project: {error}") from error


def outdated() -> bool:
    """Return whether a stage has to run for another reason than absent data."""
    with _dvc_repo() as repo:
        logging.getLogger("dvc").setLevel(logging.WARNING)  # in a dry run DVC logs that stages run
        if any(not out.use_cache and not out.exists for stage in repo.index.stages for out in stage.outs):
            return True  # a file of git is missing
        try:
            return bool(repo.reproduce(dry=True, allow_missing=True))
        except ReproductionError:  # a stage has to run, and its inputs are absent
            return True


def put_back() -> None:
    """If only weights and data differ from dvc.lock, check out those of dvc.lock, or remove them if DVC has none."""
    with _dvc_repo() as repo:
        outs = [out for stage in repo.index.stages for out in stage.outs if out.use_cache]
        paths = [Path(out.def_path) for out in outs]
        if not all(is_within(change, paths) for stage in repo.status().values() for change in stage):
            return
        if others := [str(out) for out in outs if out.exists and out.changed_checksum()]:
            print(f"{', '.join(others)}: not those of dvc.lock; taken from DVC's cache, or removed", flush=True)
            repo.checkout([str(ROOT / path) for path in others], force=True, allow_missing=True)


def is_within(change: Mapping[str, Mapping[str, str]] | str, outs: Sequence[Path]) -> bool:
    """Return whether an entry of `dvc status` is about these outputs only; a string is about the stage itself."""
    paths = [] if isinstance(change, str) else [Path(path) for paths in change.values() for path in paths]
    return bool(paths) and all(any(path.is_relative_to(out) for out in outs) for path in paths)


def changed_stages() -> list[str]:
    """Return the stages whose code, parameters, inputs or outputs differ from dvc.lock."""
    with _dvc_repo() as repo:
        return list(repo.status())


def demo(serving_arguments: list[str]) -> None:
    """Run the pipeline on the embedded data in a temporary copy of this repository, then serve that model."""
    settings = Settings.load(serving_arguments, os.environ)
    try:  # before the pipeline runs
        socket.create_server((settings.host, settings.port)).close()
    except OSError as error:
        raise InklingError(f"can't listen on {settings.host}:{settings.port}: {error.strerror}") from error
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # the runs of a temporary copy belong in its own store
    with tempfile.TemporaryDirectory(prefix="inkling-demo-") as directory:
        copy = Path(directory) / "inkling"
        copy_project(copy, overrides=["size=demo"])
        repro(copy)
        print("ran every stage on the embedded data; serving that model", flush=True)
        with subprocess.Popen([sys.executable, "-m", "serving", *serving_arguments], cwd=copy) as server:
            try:
                code = server.wait()
            finally:
                server.terminate()
        sys.exit(code)


def repro(project: Path, *options: str) -> None:
    """Run `dvc repro`."""
    if _dvc(project, "repro", *options):
        raise InklingError("the pipeline did not finish; see the message above")


def _dvc(project: Path, *arguments: str) -> int:
    # Stages run `python -m ...`, which must be this Python even if its environment is not active.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [sys.executable, "-m", "dvc", *arguments]
    with subprocess.Popen(command, cwd=project, env=os.environ | {"PATH": path}) as dvc:
        try:
            return dvc.wait()
        except BaseException:  # a stage would go on if only DVC ended
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(dvc.pid)
                tree = [process, *process.children(recursive=True)]
                for end in (psutil.Process.terminate, psutil.Process.kill):
                    for member in tree:
                        with suppress(psutil.NoSuchProcess):
                            end(member)
                    tree = psutil.wait_procs(tree, timeout=PATIENCE_S)[1]
            raise


def copy_project(target: Path, overrides: list[str]) -> None:
    """Copy code and configuration, without data and results, with other parameters, into a new directory."""

    def ignore(folder: str, _: list[str]) -> set[str]:
        return NOT_COPIED if Path(folder) == ROOT else {"__pycache__"}

    shutil.copytree(ROOT, target, ignore=ignore, ignore_dangling_symlinks=True)
    (target / "params.yaml").write_text(dump(load_config(overrides)))
    _dvc(target, "init", "--no-scm", "-q")


def main(arguments: list[str]) -> None:
    """Run the command line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # temporary copies and servers end with this process
    try:
        match arguments:
            case ["update"]:
                update()
            case ["all"]:
                repro(ROOT, "--force")
            case ["demo", *serving_arguments]:
                demo(serving_arguments)
            case ["-h" | "--help", *_]:
                print(__doc__)
            case _:
                sys.exit(__doc__)
    except (InklingError, SettingsError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main(sys.argv[1:])
