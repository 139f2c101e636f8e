"""Links, make targets, figures and the version in the documents."""

import json
import re
import tomllib

import pytest

from tests.project import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
README = ROOT / "README.md"
README_BYTES = 5000

# Families of non-digits with their words in the README.
REFUSED = {"letters": "letters", "symbols": "symbols", "scribbles": "scribbles", "several_digits": "several digits"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_and_every_target_exists(document):
    text = document.read_text()
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (document.parent / link).exists(), link
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    for words in re.findall(r"`make ([a-z -]+)", text) + re.findall(r"^make ([a-z -]+)", blocks, re.MULTILINE):
        assert set(words.split()) <= set(targets), words


def test_the_readme_has_the_measured_figures():
    text = README.read_text()
    metrics = json.loads((ROOT / "metrics/test.json").read_text())
    percent = {name: f"{100 * value:.2f}" for name, value in metrics.items()}
    refused = {name: f"{100 * metrics[f'refused_{name}']:.1f} % of {words}" for name, words in REFUSED.items()}
    for words in (
        "{test_accuracy} % (95 % interval {test_accuracy_low} to {test_accuracy_high})",
        "{strokes_accuracy} % on average, {strokes_worst_accuracy} % in the worst of eight ways",
        "{test_refused} % of MNIST's test images and {strokes_refused} % of the pen strokes",
        "{strokes_ece} % on pen strokes, {test_ece} % on MNIST",
    ):
        assert words.format(**percent) in text
    assert ", ".join(refused.values()) in text
    seeds = json.loads((ROOT / "metrics/seeds.json").read_text())["spread"]
    for name, words in {"test_accuracy": "on MNIST", "strokes_accuracy": "on pen strokes"}.items():
        mean, low, high = (f"{100 * seeds[name][kind]:.2f}" for kind in ("mean", "min", "max"))
        assert f"{mean} % {words} ({low} to {high})" in text


def test_the_readme_is_short():
    assert README.stat().st_size <= README_BYTES


def test_the_changelog_has_the_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"## [{version}] - " in (ROOT / "CHANGELOG.md").read_text()
