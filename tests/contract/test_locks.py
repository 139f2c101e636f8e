"""The lock files hold what pyproject.toml asks for, and no more; what was written from them belongs to them."""

import importlib.metadata
import json
import shutil

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from requirements.lock import lock_all
from requirements.platforms import DOCUMENT as PLATFORMS
from requirements.platforms import digest, resolved
from requirements.sbom import DOCUMENT as BILL
from tests.contract.imports import ROOT
from tests.contract.locks import PROJECT, entries, locked_here, version, wanted

EXTRAS = {"all": tuple(PROJECT["optional-dependencies"]), "serving": (), "serving-test": ("test",)}
RELOCK = "run `python -m requirements.lock`"


@pytest.mark.parametrize("lock", EXTRAS)
def test_every_requirement_is_locked_at_a_version_that_it_admits(lock):
    pinned = {}
    for entry in entries(lock):
        pinned.setdefault(canonicalize_name(entry.name), []).append(version(entry))
    for requirement in wanted(*EXTRAS[lock]):
        versions = pinned.get(canonicalize_name(requirement.name))
        assert versions, f"{requirement} is not in requirements/{lock}.txt: {RELOCK}"
        assert all(requirement.specifier.contains(one, prereleases=True) for one in versions), (
            f"{requirement} does not admit {versions} of requirements/{lock}.txt: {RELOCK}"
        )


@pytest.mark.parametrize("lock", EXTRAS)
def test_a_lock_is_what_its_packages_need_of_each_other_and_no_more(lock):
    # By what the packages themselves say, which are all installed here; so for this system and this Python.
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
def test_the_smaller_locks_agree_with_the_whole(lock):
    whole = locked_here("all")
    assert locked_here(lock).items() <= whole.items()


def test_the_bill_of_materials_lists_the_locked_packages():
    bill = json.loads(BILL.read_text(encoding="utf-8"))
    listed = {canonicalize_name(component["name"]): component["version"] for component in bill["components"]}
    assert len(listed) == len(bill["components"])
    linux = {"python_version": "3.11", "python_full_version": "3.11.0", "sys_platform": "linux"}
    assert listed == locked_here("serving", **linux), "run `python -m requirements.sbom`"
    own = bill["metadata"]["component"]
    assert (own["name"], own["version"]) == ("inkling", PROJECT["version"]), "run `python -m requirements.sbom`"


def test_the_platforms_are_those_of_the_present_locks():
    assert digest()[:16] in PLATFORMS.read_text(), "run `python -m requirements.platforms`"


@pytest.mark.slow
def test_the_resolver_would_change_nothing(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    lock_all(tmp_path)
    for lock in (ROOT / "requirements").glob("*.txt"):
        # Not byte by byte: a package may have got further wheels, and so hashes, since.
        resolved_now = [
            line for line in (tmp_path / "requirements" / lock.name).read_text().split("\n") if "==" in line
        ]
        assert resolved_now == [line for line in lock.read_text().split("\n") if "==" in line], f"{lock.name}: {RELOCK}"


@pytest.mark.slow
def test_the_service_can_be_installed_where_the_document_says():
    assert resolved("serving") in PLATFORMS.read_text(), "run `python -m requirements.platforms`"
