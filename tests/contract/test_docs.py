"""The documents promise nothing that is not there: every command in them is one that a test or the gate runs."""

import json
import re
import tomllib

import pytest

from tests.contract.imports import ROOT

DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)

# Where each command in a document is run, and by which words.
CLONE = "tests/contract/test_fresh_clone.py"
LOOP = "tests/pipeline/test_loop.py"
API = "tests/serving/test_api.py"
RUN_BY = {
    "make run": (CLONE, 'served(clone, "run"'),
    "make test": (".ci/run", "make test\n"),
    "make ui": (CLONE, 'served(clone, "ui"'),
    "make serve": (CLONE, 'served(clone, "serve"'),
    "dvc repro": (LOOP, 'run("dvc", "repro")'),
    "dvc metrics show": (LOOP, '"dvc", "metrics", "show"'),
    "dvc plots show": (LOOP, '"dvc", "plots", "show"'),
    "python -m pipeline.train model.width=0.5": (LOOP, '"pipeline.train", "model.width=0.5"'),
    "python -m pipeline.train -m train.learning_rate=0.001,0.003": (LOOP, '"-m", "train.learning_rate=0.001,0.003"'),
    "python -m pipeline.config train.epochs=3": ("tests/pipeline/test_config.py", "train.epochs=3"),
    "dvc exp run -S train.epochs=3": (CLONE, '"train.epochs=3"'),
    "curl -s -H 'Content-Type: image/png' --data-binary @digit.png http://127.0.0.1:8000/api/predict": (
        API,
        "image/png",
    ),
    "curl -s http://127.0.0.1:8000/api/model": (API, "/api/model"),
}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_is_run_somewhere(document):
    for block in re.findall(r"```sh\n(.*?)```", document.read_text(), re.DOTALL):
        for command in block.strip().splitlines():
            file, words = RUN_BY[command]
            assert words in (ROOT / file).read_text(), command


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_and_every_target_exists(document):
    text = document.read_text()
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (document.parent / link).exists(), link
    for targets in re.findall(r"`make ([a-z -]+)`", text):
        assert set(targets.split()) <= set(TARGETS)


def test_the_readme_s_accuracy_is_the_measured_one():
    metrics = json.loads((ROOT / "metrics/test.json").read_text())
    figures = [f"{100 * metrics[name]:.2f}" for name in ("test_accuracy", "test_accuracy_low", "test_accuracy_high")]
    assert "{} % (95 % interval {} to {})".format(*figures) in (ROOT / "README.md").read_text()


def test_the_readme_s_figure_for_pen_strokes_is_the_measured_one():
    metrics = json.loads((ROOT / "metrics/test.json").read_text())
    average, worst = (f"{100 * metrics[f'strokes_{name}']:.2f}" for name in ("accuracy", "worst_accuracy"))
    assert f"{average} % on average, {worst} % in the worst of eight ways" in (ROOT / "README.md").read_text()


def test_the_makefile_stays_small_and_says_what_each_target_does():
    defined = re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)
    assert sorted(defined) == sorted(TARGETS)
    assert len(TARGETS) <= 12


def test_the_changelog_knows_the_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()


def test_locks_carry_hashes_and_no_address():
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "://" not in text
        for requirement in re.split(r"\n(?=\S)", text.strip()):
            assert re.match(r"[\w.-]+==\S+", requirement)
            assert "--hash=sha256:" in requirement
