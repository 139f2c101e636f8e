"""The committed page agrees with its sources and the locked packages."""

import json
import re
import tomllib

import pytest

from tests.web.node import ROOT, node, package

SCRIPTS = json.loads((ROOT / "package.json").read_text())["scripts"]
LOCK = (ROOT / "package-lock.json").read_text()


def expect_up_to_date(committed, script, program, folder):
    """Run a script of package.json with another output, and compare this with the committed file."""
    built = folder / "built"
    arguments = SCRIPTS[script].replace(committed, str(built)).split()[1:]
    done = node(package(program), *arguments)
    assert done.returncode == 0, done.stderr
    assert built.read_bytes() == (ROOT / committed).read_bytes(), f"{committed} is out of date: run `make web`"


@pytest.mark.slow
def test_the_css_is_up_to_date(tmp_path):
    expect_up_to_date("web/css/page.css", "css", "@tailwindcss/cli/dist/index.mjs", tmp_path)


# Quick, because the tests of the page run what was built.
def test_the_script_is_up_to_date(tmp_path):
    expect_up_to_date("web/page.js", "js", "esbuild/bin/esbuild", tmp_path)


def test_the_lock_names_no_registry_and_has_a_digest_of_each_package():
    lock = json.loads(LOCK)
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    fetched = {name: entry for name, entry in packages.items() if "inBundle" not in entry}
    assert [name for name, entry in fetched.items() if not entry.get("integrity", "").startswith("sha512-")] == []
    own = lock["packages"][""]
    assert own["devDependencies"] == json.loads((ROOT / "package.json").read_text())["devDependencies"]
    assert all(re.fullmatch(r"[\d.]+", version) for version in own["devDependencies"].values())


def test_the_wheel_has_exactly_the_styles_that_the_pages_load():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    kept = {name[1:] for name in project["tool"]["hatch"]["build"]["exclude"] if name.startswith("!")}
    pages = "".join(file.read_text() for file in (ROOT / "web").glob("*.html"))
    assert kept == {f"web/{style}" for style in re.findall(r'rel="stylesheet" href="([^"]+)"', pages)}
