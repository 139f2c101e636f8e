"""Hide TensorFlow's start messages, and report Ctrl+C and missing libraries: the first steps of every process."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType, TracebackType

# TensorFlow prints these before it reads TF_CPP_MIN_LOG_LEVEL. Results do not vary: pins.py sets what it warns of.
START_MESSAGES = "^I0000 |^WARNING: All log messages before absl::InitializeLog"


class _QuietTensorFlow(MetaPathFinder):
    """Import TensorFlow without its start messages. Its warnings and errors stay."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the spec of TensorFlow; None for all other modules."""
        spec = PathFinder.find_spec(name, path) if name == "tensorflow" else None
        if spec and spec.loader:
            spec.loader.exec_module = partial(_load_quietly, spec.loader.exec_module)  # type: ignore[method-assign]
        return spec


def _load_quietly(load: Callable[[ModuleType], None], module: ModuleType) -> None:
    stderr = os.dup(2)
    # A process, so that the message of an abort is printed too.
    with subprocess.Popen(["grep", "-vE", START_MESSAGES], stdin=subprocess.PIPE, stdout=stderr) as grep:
        os.dup2(grep.stdin.fileno(), 2)  # type: ignore[union-attr]
        try:
            load(module)
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print one line instead of a traceback after Ctrl+C, also during the imports, and if the libraries are missing."""
    if isinstance(error, KeyboardInterrupt):
        print("interrupted: run the same command again", file=sys.stderr)
    elif isinstance(error, ModuleNotFoundError) and not PathFinder.find_spec("hydra"):
        do = "use `.venv/bin/python -m ...`, or activate it (`. .venv/bin/activate`); `make` installs it"
        print(f"error: {sys.executable} has no {error.name}, so it is not Inkling's environment: {do}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


def start() -> None:
    """Prepare the process."""
    sys.meta_path.insert(0, _QuietTensorFlow())
    sys.excepthook = _report
