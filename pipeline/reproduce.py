"""DVC, for the commands that need more than `dvc repro`: the only module that imports it.

python -m pipeline.reproduce update    bring models/digits.onnx up to date, touching only what has changed
python -m pipeline.reproduce all       run every stage, changed or not
python -m pipeline.reproduce demo      run every stage on the embedded data in a scratch copy, and serve that model
"""

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
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

# What a clone does not have either; and the state of Git and DVC, so that the copy can't change the original's.
NOT_COPIED = {".git", ".venv", "node_modules", ".dvc", "data", "models", "metrics", "plots", "outputs",
              "dvc_plots", "dvc.lock", "mlflow.db", "optuna.db", "mlartifacts", "mlruns",
              ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache"}  # fmt: skip
PATIENCE_S = 10  # what a stage that was told to end may take; a training hears it between two epochs


def update() -> None:
    """Run the stages whose code, parameters or inputs have changed, and what follows from them.

    Data that is merely absent, as in a fresh clone, is no reason to run anything: dvc.lock already says what the
    committed model was made from. Nor is what an experiment has left where git does not look. As soon as a stage has to
    run, what it needs is made too.

    Raises:
        InklingError: a stage failed; it has said why.
    """
    if not (ROOT / ".git").exists():  # an unpacked archive
        _dvc(ROOT, "config", "--local", "core.no_scm", "true")
    if outdated():
        put_back()
    if outdated():
        print(
            "models/digits.onnx, or what belongs to it, has changed: what depends on that is made anew, a training "
            "included if need be; `make serve` serves the file as it is",
            flush=True,
        )
        repro(ROOT)
    else:
        print("models/digits.onnx is up to date with the code, params.yaml and dvc.lock")


def outdated() -> bool:
    """Whether a stage has to run for another reason than absent data.

    Raises:
        InklingError: DVC can't tell; says why.
    """
    try:
        with Repo(str(ROOT)) as repo, _quiet():
            if any(not out.use_cache and not out.exists for stage in repo.index.stages for out in stage.outs):
                return True  # what git should have brought is no data that may be absent
            return bool(repo.reproduce(dry=True, allow_missing=True))
    except ReproductionError:  # one has to run, and what it reads is absent
        return True
    except (DvcException, SCMError) as error:
        raise InklingError(f"DVC can't read this project: {error}") from error


def put_back() -> None:
    """Where nothing but weights and data differ from dvc.lock, left by another run, make them what it says.

    What DVC does not have goes: what is absent is no reason to run anything.

    Raises:
        InklingError: DVC can't tell; says why.
    """
    try:
        with Repo(str(ROOT)) as repo:
            outs = [out for stage in repo.index.stages for out in stage.outs if out.use_cache]
            paths = [Path(out.def_path) for out in outs]
            if not all(is_within(change, paths) for stage in repo.status().values() for change in stage):
                return
            if left := [str(out) for out in outs if out.exists and out.changed_checksum()]:
                print(
                    f"{', '.join(left)}: of another run than dvc.lock's; put back as DVC has it, or removed", flush=True
                )
                repo.checkout([str(ROOT / path) for path in left], force=True, allow_missing=True)
    except (DvcException, SCMError) as error:
        raise InklingError(f"DVC can't read this project: {error}") from error


def is_within(change: Mapping[str, Mapping[str, str]] | str, outs: Sequence[Path]) -> bool:
    """Whether a change, as `dvc status` tells it, is of these outputs alone; a word is of the stage itself."""
    paths = [] if isinstance(change, str) else [Path(path) for paths in change.values() for path in paths]
    return bool(paths) and all(any(path.is_relative_to(out) for out in outs) for path in paths)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without DVC's words: of a stage that it only thinks about, it says that it runs."""
    logger = logging.getLogger("dvc")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def changed_stages() -> list[str]:
    """What `dvc status` names: stages whose code, parameters, inputs or outputs are not those of dvc.lock.

    Raises:
        InklingError: DVC can't tell; says why.
    """
    try:
        with Repo(str(ROOT)) as repo:
            return list(repo.status())
    except (DvcException, SCMError) as error:
        raise InklingError(f"DVC can't read this project: {error}") from error


def demo(serving_arguments: list[str]) -> None:
    """Run the whole pipeline on the embedded data in a scratch copy of this repository, then serve that model.

    Raises:
        InklingError: the address is taken, or a stage failed; says why.
    """
    _check_address(Settings.load(serving_arguments, os.environ))
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # its runs go with the copy
    with tempfile.TemporaryDirectory(prefix="inkling-demo-") as directory:
        scratch = Path(directory) / "inkling"
        copy_project(scratch, overrides=["size=demo"])
        started = time.perf_counter()
        repro(scratch)
        print(f"every stage run on the embedded data in {time.perf_counter() - started:.0f} s; serving that model")
        with subprocess.Popen([sys.executable, "-m", "serving", *serving_arguments], cwd=scratch) as server:
            try:
                code = server.wait()
            finally:
                server.terminate()
        if code:
            sys.exit(code)


def _check_address(settings: Settings) -> None:
    """Find out that the address is taken now, and not after the pipeline has run."""
    try:
        socket.create_server((settings.host, settings.port)).close()
    except OSError as error:
        raise InklingError(f"{settings.host}:{settings.port} can't be served at: {error.strerror}") from error


def repro(project: Path, *options: str) -> None:
    """`dvc repro`.

    Raises:
        InklingError: a stage failed; it has said why.
    """
    if _dvc(project, "repro", *options):
        raise InklingError("the pipeline did not finish; the message above says why")


def _dvc(project: Path, *arguments: str) -> int:
    # The stages are started as `python -m ...`: that has to be this Python, whether or not its environment is active.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [sys.executable, "-m", "dvc", *arguments]
    with subprocess.Popen(command, cwd=project, env=os.environ | {"PATH": path}) as dvc:
        try:
            return dvc.wait()
        except BaseException:
            _end(dvc.pid)
            raise


def _end(pid: int) -> None:
    """End DVC and the stage it runs; alone it would leave the stage running, unseen."""
    try:
        process = psutil.Process(pid)
        tree = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for one in tree:
        with suppress(psutil.NoSuchProcess):
            one.terminate()
    for one in psutil.wait_procs(tree, timeout=PATIENCE_S)[1]:
        with suppress(psutil.NoSuchProcess):
            one.kill()


def copy_project(target: Path, overrides: list[str]) -> None:
    """Copy code and configuration, without data and results, with other parameters.

    Args:
        target: a directory that does not exist yet.
        overrides: as `load_config` takes them.
    """
    shutil.copytree(
        ROOT,
        target,
        ignore=lambda folder, _: NOT_COPIED if Path(folder) == ROOT else {"__pycache__"},
        ignore_dangling_symlinks=True,
    )
    (target / "params.yaml").write_text(dump(load_config(overrides)))
    _dvc(target, "init", "--no-scm", "-q")


def main(arguments: list[str]) -> None:
    """The command line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that scratch copies and servers go with this process
    try:
        match arguments:
            case ["update"]:
                update()
            case ["all"]:
                repro(ROOT, "--force")
            case ["demo", *serving_arguments]:
                demo(serving_arguments)
            case _:
                sys.exit(__doc__)
    except (InklingError, SettingsError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main(sys.argv[1:])
