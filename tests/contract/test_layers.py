"""Who may import whom; the service's own rules are in test_serving_imports.py."""

import sys

import pytest

from tests.contract.imports import ROOT, imported_names

PIPELINE = sorted((ROOT / "pipeline").glob("*.py"))
ADAPTERS = {
    "HersheyFonts": ["glyphs"],
    # What is read and registered is apart from what a training writes: a change there must not make DVC train again.
    "mlflow": ["registry", "tracking"],
    "dvc": ["reproduce"],
    "tf2onnx": ["onnx_graph"],
    "optuna": ["search"],
}


@pytest.mark.parametrize("package", ADAPTERS)
def test_a_heavy_dependency_is_imported_by_its_adapters_alone(package):
    importers = [file.stem for file in PIPELINE if any(name.split(".")[0] == package for name in imported_names(file))]
    assert importers == ADAPTERS[package]


@pytest.mark.parametrize("source", PIPELINE, ids=lambda path: path.stem)
def test_the_pipeline_uses_of_the_service_only_what_it_has_to_test(source):
    used = {name.split(".")[1] for name in imported_names(source) if name.startswith("serving.")}
    assert used <= {"predictor", "images", "errors"} | ({"settings"} if source.stem == "reproduce" else set())


def test_what_runs_elsewhere_is_made_with_the_service_alone():
    used = {name.split(".")[0] for source in (ROOT / "deploy").glob("*.py") for name in imported_names(source)}
    assert used <= {"serving"} | sys.stdlib_module_names
