"""The wheel, installed without the pipeline and outside of a checkout."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from requirements.platforms import TESTS
from requirements.sbom import DOCUMENT, PYTHON, build_sbom
from requirements.service import UV, environment, install, lowest_environment, service
from serving.version import inkling_version
from tests.conftest import FillOnce
from tests.contract.imports import NOT_IN_THE_SERVICE
from tests.contract.test_locks import locked_here
from tests.project import ROOT, run
from tests.serving.drawings import draw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

for_one_python = pytest.mark.skipif("{}.{}".format(*sys.version_info) != PYTHON, reason="Pythons need other versions")
ELSEWHERE = {name: value for name, value in os.environ.items() if not name.startswith(("INKLING_", "PYTHON"))}


@dataclass
class Installed:
    """The service in an environment of its own."""

    wheel: Path
    python: Path
    packages: dict[str, str]  # versions by name


@pytest.fixture(scope="session")
def installed(fill_once: FillOnce) -> Installed:
    """Build the wheel and install it with its lock. This needs the package index, so only slow tests use it."""
    directory = fill_once("service", service)
    (wheel,) = (directory / "dist").glob("*.whl")
    python = directory / "environment" / "bin" / "python"
    command = [*UV, "pip", "list", "--format", "json", "--python", str(python)]
    listed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return Installed(wheel, python, {package["name"]: package["version"] for package in listed})


def page_files():
    """Return the files of the pages, and the modules of their scripts."""
    listed = run(ROOT, "git", "ls-files", "web").split()
    pages = "".join((ROOT / "web" / page).read_text() for page in ("index.html", "docs.html"))
    styles = {f"web/{style}" for style in re.findall(r'rel="stylesheet" href="([^"]+)"', pages)}
    return {name for name in listed if not name.endswith((".d.ts", ".css"))} | styles


def test_the_wheel_contains_only_the_model_the_page_and_the_code(installed):
    code = {str(file.relative_to(ROOT)) for top in ("pipeline", "serving") for file in (ROOT / top).rglob("*.py")}
    with zipfile.ZipFile(installed.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        assert names == code | {f"serving/{name}" for name in page_files() | {"models/digits.onnx"}}
        assert wheel.read("serving/models/digits.onnx") == (ROOT / "models/digits.onnx").read_bytes()


def test_the_source_distribution_gives_the_same_wheel_as_this_folder(installed, tmp_path):
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, ROOT], check=True)
    assert (tmp_path / installed.wheel.name).read_bytes() == installed.wheel.read_bytes()


def test_an_installed_service_is_the_locked_packages_and_itself(installed):
    names = {name.lower().replace("_", "-") for name in installed.packages}
    assert names == {*locked_here("serving"), "inkling"}
    assert not names & {*NOT_IN_THE_SERVICE, "pip"}
    subprocess.run([*UV, "pip", "check", "-q", "--python", installed.python], check=True)


@pytest.mark.workflow
def test_inkling_serve_answers_the_page_and_a_drawing_and_exits_with_0(installed, tmp_path):
    options = {"cwd": tmp_path, "env": ELSEWHERE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([installed.python.parent / "inkling-serve", "--port", "0"], **options)
    try:
        address = process.stdout.readline().strip().rpartition(" ")[2]

        def get(path, data=None):
            headers = {"Content-Type": "application/octet-stream"} if data else {}
            with urllib.request.urlopen(urllib.request.Request(address + path, data, headers), timeout=30) as answer:
                return answer.read()

        for name in page_files():
            assert get(f"/{name.removeprefix('web/')}") == (ROOT / name).read_bytes()
        assert get("/") == (ROOT / "web/index.html").read_bytes()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get("/css/input.css")
        assert json.loads(get("/api/predict?width=280&height=280", draw(7).tobytes()))["digit"] == 7
        assert json.loads(get("/v2"))["version"] == inkling_version() == installed.packages["inkling"]
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30) == ("", "")
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def run_elsewhere(directory, *command, code):
    done = subprocess.run(command, cwd=directory, env=ELSEWHERE, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (code, "")
    return done.stderr


def test_an_installed_pipeline_command_reports_that_it_needs_a_checkout(installed, tmp_path):
    with zipfile.ZipFile(installed.wheel) as wheel:
        wheel.extractall(tmp_path)
    printed = run_elsewhere(tmp_path, sys.executable, "-m", "pipeline.train", code=1)
    assert printed.startswith(f"error: there is no params.yaml and no conf in {tmp_path}: ")
    assert printed.count("\n") == 1


def test_an_error_names_the_command_that_was_typed(installed, tmp_path):
    printed = run_elsewhere(tmp_path, installed.python.parent / "inkling-serve", "--port", "eighty", code=2)
    assert printed.startswith("inkling-serve: --port is 'eighty'")


def test_an_installed_pipeline_is_a_library(installed, tmp_path):
    run_elsewhere(tmp_path, installed.python, "-c", "from pipeline.sources import mnist", code=0)


@for_one_python
def test_the_bill_of_materials_is_up_to_date(installed, tmp_path):
    assert build_sbom(installed.python, tmp_path) == DOCUMENT.read_text(encoding="utf-8")


def run_tests(python):
    return run(ROOT, str(python), "-m", "pytest", "-p", "no:cacheprovider", "-m", "not slow", *map(str, TESTS))


@for_one_python
def test_the_service_s_tests_pass_with_the_lowest_admitted_versions(tmp_path):
    assert " passed" in run_tests(lowest_environment(tmp_path / "environment"))


def test_the_service_s_tests_pass_without_the_pipeline(installed, tmp_path):
    python = environment(tmp_path / "environment", "serving-test")
    install(python, str(installed.wheel))
    printed = run_tests(python)
    assert " passed" in printed
    assert "skipped" not in printed
    assert "ModuleNotFoundError" in run_elsewhere(tmp_path, python, "-c", "import tensorflow", code=1)
