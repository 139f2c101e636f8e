"""The pipeline: one module for each DVC stage and command, and the packages that they share."""

import sys
from types import TracebackType

from pipeline.runtime.pins import pin_loading

# Every import of the pipeline passes here, usually before numpy is loaded.
pin_loading()


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print one line instead of a traceback after Ctrl+C, which may also come while a command imports libraries."""
    if issubclass(kind, KeyboardInterrupt):
        print("interrupted: run the same command again", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _report
