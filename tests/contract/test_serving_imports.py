"""The service stays small: what it may import, seen in the source and in a running process."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.imports import ROOT, imported_names

MODULES = sorted((ROOT / "serving").glob("*.py"))

# anyio and python-multipart come with starlette.
ALLOWED = {
    "anyio",
    "numpy",
    "onnxruntime",
    "orjson",
    "PIL",
    "serving",
    "starlette",
    "uvicorn",
} | sys.stdlib_module_names
FORBIDDEN = ("tensorflow", "keras", "mlflow", "dvc", "hydra", "pipeline", "pydantic")

# The pipeline tests the code that ships through these two, so they must know nothing of the web.
SHARED_WITH_THE_PIPELINE = ("predictor", "images")
WEB = ("starlette", "uvicorn", "anyio")


def imported(path: Path) -> set[str]:
    """Top-level names."""
    return {name.split(".")[0] for name in imported_names(path)}


def loaded(statement: str, names: tuple[str, ...]) -> list[str]:
    code = f"import sys\n{statement}\nprint(*[name for name in {names!r} if name in sys.modules])"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_imports_only_what_is_allowed(path: Path) -> None:
    assert imported(path) <= ALLOWED


def test_only_the_predictor_knows_onnxruntime() -> None:
    assert [path.name for path in MODULES if "onnxruntime" in imported(path)] == ["predictor.py"]


def test_the_service_loads_nothing_of_the_pipeline() -> None:
    assert loaded("import serving.app, serving.__main__", FORBIDDEN) == []


def test_what_the_pipeline_shares_loads_nothing_of_the_web() -> None:
    statement = "\n".join(f"import serving.{name}" for name in SHARED_WITH_THE_PIPELINE)
    assert loaded(statement, WEB) == []
