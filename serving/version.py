"""The version of Inkling, which only pyproject.toml defines."""

import importlib.metadata
import tomllib
from functools import cache

from serving.settings import ROOT

PROJECT = ROOT / "pyproject.toml"


@cache
def inkling_version() -> str:
    """Return the version of the checkout or, if there is none, of the installed package, or "unknown"."""
    if PROJECT.is_file():
        return str(tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"])
    try:
        return importlib.metadata.version("inkling")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
