"""What the page takes from npm: locked, and unchanged. tests/contract/test_fresh_clone.py builds its CSS anew."""

import json
import re

import pytest

from tests.web.node import ROOT, package


@pytest.mark.slow
@pytest.mark.parametrize("file", sorted((ROOT / "web/js/vendor").glob("*.js")), ids=lambda path: path.name)
def test_what_is_copied_from_a_package_is_unchanged(file):
    assert file.read_bytes() == package(f"gsap/dist/{file.name}").read_bytes()


def test_the_lock_names_no_registry_and_has_a_digest_of_each_package():
    lock = json.loads((ROOT / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    fetched = {name: entry for name, entry in packages.items() if "inBundle" not in entry}
    assert [name for name, entry in fetched.items() if not entry.get("integrity", "").startswith("sha512-")] == []
    own = lock["packages"][""]
    assert own["devDependencies"] == json.loads((ROOT / "package.json").read_text())["devDependencies"]
    assert all(re.fullmatch(r"[\d.]+", version) for version in own["devDependencies"].values())
