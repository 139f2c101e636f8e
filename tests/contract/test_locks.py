"""The lock files agree with pyproject.toml, and the documents with the lock files."""

import importlib.metadata
import json
import re
import shutil
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.base.files import file_sha256
from requirements.lock import lock_all
from requirements.platforms import DOCUMENT as PLATFORMS
from requirements.platforms import describe_wheels, digest
from requirements.sbom import DESCRIBED, with_model
from requirements.sbom import DOCUMENT as BILL
from tests.project import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {"all": tuple(PROJECT["optional-dependencies"]), "serving": (), "serving-test": ("test",)}
RELOCK = "run `python -m requirements.lock`"


def locked_here(lock, **environment):
    """Return the versions by package that a lock installs here, or in another environment for the markers."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    entries = [Requirement(line.rstrip(" \\")) for line in re.findall(r"^\S.*$", text, re.MULTILINE)]
    return {
        canonicalize_name(entry.name): str(entry.specifier).removeprefix("==")
        for entry in entries
        if not entry.marker or entry.marker.evaluate(environment)
    }


def wanted(*extras):
    """Return the requirements of pyproject.toml, with extras."""
    texts = PROJECT["dependencies"] + [text for extra in extras for text in PROJECT["optional-dependencies"][extra]]
    found = []
    for requirement in map(Requirement, texts):
        own = requirement.name == PROJECT["name"]
        found += wanted(*requirement.extras) if own else [requirement]
    return found


@pytest.mark.parametrize("lock", [*EXTRAS, "sbom"])
def test_a_lock_has_hashes_and_no_address(lock):
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    assert "://" not in text
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=\S)", text.strip()))


@pytest.mark.parametrize("lock", EXTRAS)
def test_a_lock_has_the_packages_that_pyproject_toml_needs_and_no_more(lock):
    # By the metadata of the installed packages, so for this system and this Python.
    pinned, seen = locked_here(lock), set()
    todo = [(requirement, "") for requirement in wanted(*EXTRAS[lock])]
    while todo:
        requirement, extra = todo.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        assert name in pinned, f"requirements/{lock}.txt lacks {requirement}: {RELOCK}"
        assert requirement.specifier.contains(pinned[name], prereleases=True), f"{requirement}: {RELOCK}"
        for part in {"", *requirement.extras}:
            if (name, part) not in seen:
                seen.add((name, part))
                todo += [(Requirement(text), part) for text in importlib.metadata.requires(name) or ()]
    surplus = pinned.keys() - {name for name, _ in seen}
    assert not surplus, f"nothing needs {surplus} of requirements/{lock}.txt: {RELOCK}"


@pytest.mark.parametrize("lock", ["serving", "serving-test"])
def test_the_smaller_locks_have_the_versions_of_the_whole(lock):
    assert locked_here(lock).items() <= locked_here("all").items()


def test_the_bill_of_materials_lists_the_locked_packages():
    bill = json.loads(BILL.read_text(encoding="utf-8"))
    packages = [component for component in bill["components"] if component["type"] not in DESCRIBED]
    listed = {canonicalize_name(component["name"]): component["version"] for component in packages}
    assert len(listed) == len(packages)
    linux = {"python_version": "3.11", "python_full_version": "3.11.0", "sys_platform": "linux"}
    assert listed == locked_here("serving", **linux), "run `python -m requirements.sbom`"
    own = bill["metadata"]["component"]
    assert (own["name"], own["version"]) == ("inkling", PROJECT["version"]), "run `python -m requirements.sbom`"


def test_the_bill_of_materials_describes_the_committed_model_and_its_data():
    bill = BILL.read_text(encoding="utf-8")
    assert with_model(json.loads(bill)) == bill, "run `python -m requirements.sbom --model`"
    model, *data = [component for component in json.loads(bill)["components"] if component["type"] in DESCRIBED]
    assert model["hashes"] == [{"alg": "SHA-256", "content": file_sha256(ROOT / "models/digits.onnx")}]
    metrics = json.loads((ROOT / "metrics/test.json").read_text())
    accuracy = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"][0]
    assert (accuracy["type"], accuracy["value"]) == ("test_accuracy", str(metrics["test_accuracy"]))
    assert accuracy["confidenceInterval"]["lowerBound"] == str(metrics["test_accuracy_low"])
    assert [one["ref"] for one in model["modelCard"]["modelParameters"]["datasets"]] == [one["bom-ref"] for one in data]
    licences = [[one["license"]["id"] for one in component["licenses"]] for component in data]
    assert licences == [
        ["CC-BY-4.0", "CC-BY-SA-3.0", "MIT"],
        ["CC-BY-4.0", "CC-BY-SA-3.0"],
        ["CC-BY-SA-3.0"],
        ["CC-BY-4.0"],
    ]
    assert all(component["hashes"][0]["content"] in (ROOT / "docs/model_card.md").read_text() for component in data)


def test_the_document_on_platforms_belongs_to_the_locks():
    assert digest()[:16] in PLATFORMS.read_text(), "run `python -m requirements.platforms`"


@pytest.mark.slow
def test_the_resolver_would_change_nothing(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    lock_all(tmp_path)
    for lock in (ROOT / "requirements").glob("*.txt"):
        # Without the hashes: a package may have got more wheels since.
        now, before = (re.findall(".*==.*", file.read_text()) for file in (tmp_path / "requirements" / lock.name, lock))
        assert now == before, f"{lock.name}: {RELOCK}"


@pytest.mark.slow
def test_the_service_can_be_installed_where_the_document_says():
    assert describe_wheels("serving") in PLATFORMS.read_text(), "run `python -m requirements.platforms`"
