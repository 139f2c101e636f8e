"""Which package may import which, and which modules import a heavy library."""

import subprocess
import sys

import pytest

from tests.contract.imports import NOT_IN_THE_SERVICE, imported_names
from tests.project import ROOT

# Each package with those that it may import, which come first.
PIPELINE = {
    "base": "",
    "config": "base",
    "runtime": "base config",
    "sources": "base serving.drawing",
    "ink": "config serving.drawing",
    "nondigits": "config ink serving.drawing",
    "dataset": "base config ink nondigits sources serving.drawing",
    "network": "base config dataset",
    "reader": "base config ink network",
    "training": "base config dataset network",
    "evaluation": "base dataset ink network nondigits reader sources serving.drawing serving.model serving.numbers",
    "modelfile": "base config dataset ink network nondigits reader sources serving.errors serving.model",
    "tracking": "base config dataset network runtime",
    "registry": "base dataset evaluation network reader tracking serving.model",
    "provenance": "base config registry tracking",
}
SERVING = {
    "errors": "",
    "logs": "",
    "settings": "errors",
    "signature": "errors",
    "version": "settings",
    "drawing": "",
    "numbers": "drawing",
    "model": "errors numbers",
    "queue": "errors model",
    "metrics": "errors model queue",
    "reload": "errors metrics model queue signature",
    "service": "metrics queue reload settings",
    "http": "errors metrics queue service settings",
    "api": "drawing errors http model numbers queue service",
    "v2": "errors http metrics model queue service version",
    "openapi": "api drawing errors http model numbers service settings v2 version",
    "app": "api errors http metrics model openapi queue reload service settings signature v2",
    "site": "api errors http model settings",
    "workers": "app errors http metrics reload settings signature version",
    "__main__": "errors logs settings workers",
}
# Packages of the service that the pipeline's commands use.
SHARED = {"serving.drawing", "serving.errors", "serving.model", "serving.numbers", "serving.signature"}

# The only modules that import a library.
ADAPTERS = {
    "HersheyFonts": {"pipeline.nondigits.glyphs"},
    "mlflow": {"pipeline.registry.store", "pipeline.tracking.runs", "pipeline.tracking.store"},
    "cryptography": {"pipeline.sign", "serving.signature"},
    "dvc": {"pipeline.reproduce"},
    "model_signing": {"pipeline.sign"},
    "tf2onnx": {"pipeline.modelfile.onnx_graph"},
    "optuna": {"pipeline.tracking.study"},
    "onnxruntime": {"serving.model.predictor"},
}
# anyio comes with starlette. cryptography is imported only for --public-key.
SERVING_LIBRARIES = {
    "anyio", "cryptography", "httptools", "msgspec", "numpy", "onnxruntime", "orjson", "PIL", "starlette", "uvicorn"
}  # fmt: skip


def modules(top):
    return {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in (ROOT / top).rglob("*.py")}


MODULES = modules("pipeline") | modules("serving")


def package(name):
    """Return the first two parts of a module's name."""
    return ".".join(name.split(".")[:2])


def imports_of(top, name):
    """Return the packages and top modules of this project that another one imports."""
    own = f"{top}.{name}"
    files = (file for module, file in MODULES.items() if package(module) == own)
    used = {package(imported) for file in files for imported in imported_names(file)}
    return {other for other in used if other.startswith(("pipeline.", "serving."))} - {own}


@pytest.mark.parametrize(
    ("top", "name", "allowed"),
    [(top, *item) for top, table in (("pipeline", PIPELINE), ("serving", SERVING)) for item in table.items()],
)
def test_a_package_imports_only_what_its_row_lists(top, name, allowed):
    full = {other if "." in other else f"{top}.{other}" for other in allowed.split()}
    assert imports_of(top, name) <= full
    table = list(PIPELINE if top == "pipeline" else SERVING)
    own = {other.split(".")[1] for other in full if other.startswith(f"{top}.")}
    assert own <= set(table[: table.index(name)]), "listed before what it imports"
    packages = {module.split(".")[1] for module in MODULES if module.startswith(f"{top}.") and module.count(".") > 1}
    assert packages <= set(table), "each package has a row"


def test_a_command_imports_only_shared_packages_of_the_service():
    for name in MODULES:
        if name.count(".") == 1 and name.startswith("pipeline."):
            used = {other for other in imports_of(*name.split(".")) if other.startswith("serving.")}
            assert used <= SHARED | ({"serving.settings"} if name == "pipeline.reproduce" else set()), name


@pytest.mark.parametrize("library", ADAPTERS)
def test_a_heavy_library_is_imported_only_by_its_adapters(library):
    assert {name for name, file in MODULES.items() if library in top_level(file)} == ADAPTERS[library]


@pytest.mark.parametrize(("top", "libraries"), [("serving", SERVING_LIBRARIES), ("deploy", set())])
def test_the_service_and_deploy_import_few_libraries(top, libraries):
    used = set().union(*map(top_level, modules(top).values()))
    assert used <= libraries | {"serving"} | sys.stdlib_module_names


def top_level(file):
    return {name.split(".")[0] for name in imported_names(file)}


@pytest.mark.parametrize(
    ("statement", "forbidden"),
    [
        ("import serving.app, serving.__main__", (*NOT_IN_THE_SERVICE, "cryptography")),
        # The pipeline uses these, so they load no web library.
        ("import serving.model.predictor, serving.drawing.rasterize", ("starlette", "uvicorn", "anyio")),
    ],
)
def test_an_import_does_not_load(statement, forbidden):
    code = f"import sys\n{statement}\nprint(*sorted(set({forbidden!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
