"""Which version of Inkling this is: pyproject.toml has it, and nothing else."""

import importlib.metadata
import tomllib
from functools import cache

from serving.settings import ROOT

PROJECT = ROOT / "pyproject.toml"


@cache
def inkling_version() -> str:
    """The checkout's version, whatever else is installed beside it; else the installed package's.

    "unknown" where the code was copied without either.
    """
    if PROJECT.is_file():
        return str(tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"])
    try:
        return importlib.metadata.version("inkling")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
