"""Links, make targets, figures and the version in the documents."""

import json
import re
import tomllib
from importlib.util import find_spec

import numpy as np
import pytest

from bench import state
from pipeline.config.values import load_config
from pipeline.evaluation.memory import nearest, recall
from tests.project import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
README = ROOT / "README.md"
README_BYTES = 5000

# Families of non-digits with their words in the README.
REFUSED = {"letters": "letters", "symbols": "symbols", "scribbles": "scribbles", "several_digits": "several digits"}
# Kinds of numbers, likewise.
NUMBERS = {"spaced": "with gaps", "tight": "with narrow gaps", "touching": "touching"}


def anchors(document):
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_module_and_target_exists(document):
    text = document.read_text()
    for link, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text):
        target = document.parent / link if link else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), f"{link}#{anchor}"
    for module in re.findall(r"python -m ([a-z0-9_.]*[a-z0-9_])", text):
        assert find_spec(module), module
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
    numbers = json.loads((ROOT / "metrics/numbers.json").read_text())
    shares = {kind: f"{100 * numbers[kind]['accuracy']:.1f} % {words}" for kind, words in NUMBERS.items()}
    assert ", ".join(shares.values()) in text
    taught = json.loads((ROOT / "metrics/memory.json").read_text())["taught_2"]
    assert f"{100 - 100 * taught['accuracy']:.2f} % instead of {100 - 100 * taught['accuracy_before']:.2f} %" in text
    results = json.loads((ROOT / "bench/results/seeds.json").read_text())
    mark = "" if state("seeds", results) == "current" else " (old figures)"
    assert f"| The same training with five seeds{mark} |" in text
    seeds = results["spread"]
    for name, words in {"test_accuracy": "on MNIST", "strokes_accuracy": "on pen strokes"}.items():
        mean, low, high = (f"{100 * seeds[name][kind]:.2f}" for kind in ("mean", "min", "max"))
        assert f"{mean} % {words} ({low} to {high})" in text


def test_the_guides_function_does_what_the_pipeline_measures():
    text = re.search(r"```python\n(import numpy as np\n.*?)```", (ROOT / "docs/guide.md").read_text(), re.DOTALL)
    names = {}
    exec(text[1], names)
    rule, rng = load_config().memory.model_dump(), np.random.default_rng(0)
    for _ in range(100):
        vectors = np.abs(rng.normal(size=(12, 6)))
        features, *vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        labels = rng.integers(10, size=11)
        answer = {"probabilities": rng.dirichlet(np.full(10, 0.1)), "digit_score": 0.3}
        given = {name: np.array([value]) for name, value in answer.items()}
        expected = recall(given, nearest(features[None], np.array(vectors), labels, 10), rule)
        probabilities, score = names["remind"](answer | {"features": features}, vectors, labels, rule)
        assert probabilities == pytest.approx(expected["probabilities"][0])
        assert score == pytest.approx(expected["digit_score"][0])


def test_the_readme_is_short():
    assert README.stat().st_size <= README_BYTES


def test_the_changelog_has_the_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"## [{version}] - " in (ROOT / "CHANGELOG.md").read_text()
