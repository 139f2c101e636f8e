"""The documents promise nothing that is not there: every command in them is one that a test or the gate runs."""

import json
import re
import tomllib

import pytest

from tests.contract.imports import ROOT

DOCUMENTS = sorted(
    [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")), *(ROOT / "docs").glob("*.md")]
)
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)

# Where each command in a document is run, and by which words.
CLONE = "tests/contract/test_fresh_clone.py"
LOOP = "tests/pipeline/test_loop.py"
EXPERIMENTS = "tests/pipeline/test_experiment_log.py"
CHAMPION = "tests/pipeline/test_champion.py"
INSTALL = "tests/contract/test_install.py"
SERVICE = "requirements/service.py"
LOCKS = "tests/contract/test_locks.py"
CURL = ("tests/serving/test_readme.py", 'startswith("curl ")')
RUN_BY = {
    "make run": (CLONE, 'served(clone, "run"'),
    "make test": (".ci/run", "make test\n"),
    "make web": (CLONE, '"web")'),
    "make check": (".ci/run", "make check\n"),
    "make test-slow": (".ci/run", "make test-slow\n"),
    "python -m tests.e2e.screenshots": ("tests/e2e/test_screenshots.py", '"tests.e2e.screenshots"'),
    "make ui": (CLONE, 'served(clone, "ui"'),
    "make serve": (CLONE, 'served(clone, "serve"'),
    "make serve MODEL=champion": (CHAMPION, '"serve", seconds=200, settings=["MODEL=champion"]'),
    "dvc repro": (LOOP, 'run("dvc", "repro")'),
    "dvc metrics show": (LOOP, '"dvc", "metrics", "show"'),
    "dvc exp run -S size=smoke -S data.source=embedded": (CLONE, '"-S", "size=smoke", "-S", "data.source=embedded"'),
    "dvc metrics diff": (CLONE, '"dvc", "metrics", "diff"'),
    "git checkout .": (CLONE, '"git", "checkout", "."'),
    "dvc plots show": (LOOP, '"dvc", "plots", "show"'),
    "python -m pipeline.train model.width=0.5": (LOOP, '"pipeline.train", "model.width=0.5"'),
    "python -m pipeline.train -m train.learning_rate=0.001,0.003": (LOOP, '"-m", "train.learning_rate=0.001,0.003"'),
    "make train": (CLONE, '*MAKE, "train"'),
    "python -m pipeline.train -m 'experiment=glob(*)'": (EXPERIMENTS, '"-m", "experiment=glob(*)"'),
    "python -m pipeline.experiment_log": (EXPERIMENTS, 'run("pipeline.experiment_log")'),
    "python -m pipeline.config train.epochs=3": ("tests/pipeline/config/test_values.py", "train.epochs=3"),
    "dvc exp run -S train.epochs=3": (CLONE, '"train.epochs=3"'),
    "python -m pipeline.promote": (CHAMPION, 'run("pipeline.promote")'),
    "python -m pipeline.register": (CHAMPION, 'run("pipeline.register")'),
    "python -m pipeline.lineage 36fe02f27e3c": ("tests/contract/test_lineage.py", "main([command])"),
    "python -m pipeline.lineage models/digits.onnx": (CHAMPION, '"pipeline.lineage", "models/digits.onnx"'),
    "python -m pipeline.lineage http://127.0.0.1:8000": (CHAMPION, '"pipeline.lineage", address'),
    "python -m serving --workers 2 --watch": (
        "tests/serving/under_load/test_hot_swap.py",
        '"--workers", workers, "--watch"',
    ),
    "pip wheel --no-deps -w dist .": (INSTALL, '"pip", "wheel", "-q", "--no-deps", "-w"'),
    "pip install --require-hashes -r requirements/serving.txt": (SERVICE, '"--require-hashes", "-r"'),
    "pip install --no-deps dist/inkling-1.0.0-py3-none-any.whl": (SERVICE, "install(python, str(wheel))"),
    "inkling-serve": (INSTALL, '"inkling-serve", "--port", "0"'),
    "python -m requirements.lock": (LOCKS, "lock_all(tmp_path)"),
    "python -m requirements.sbom": (INSTALL, "bill(installed.python, tmp_path)"),
    "python -m requirements.platforms": (LOCKS, 'resolved("serving")'),
    "kubectl kustomize deploy/kubernetes": ("tests/deploy/test_manifests.py", '"kubectl", "kustomize"'),
    "python -m deploy.triton outputs/triton": ("tests/deploy/test_repository.py", '"deploy.triton"'),
    "python -m deploy.triton outputs/triton --storage-uri s3://models/inkling": (
        "tests/deploy/test_repository.py",
        '"--storage-uri"',
    ),
}

# Kinds of things that are no digit, of families held out of training, as the README words them.
REFUSED = {"letters": "letters", "symbols": "symbols", "scribbles": "scribbles", "several_digits": "several digits"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_is_run_somewhere(document):
    for block in re.findall(r"```sh\n(.*?)```", document.read_text(), re.DOTALL):
        for command in block.strip().splitlines():
            file, words = CURL if command.startswith("curl ") else RUN_BY[command]
            assert words in (ROOT / file).read_text(), command


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_and_every_target_exists(document):
    text = document.read_text()
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (document.parent / link).exists(), link
    for targets in re.findall(r"`make ([a-z -]+)`", text):
        assert set(targets.split()) <= set(TARGETS)


def test_the_readme_s_figures_are_the_measured_ones():
    text = (ROOT / "README.md").read_text()
    metrics = json.loads((ROOT / "metrics/test.json").read_text())
    percent = {name: f"{100 * value:.2f}" for name, value in metrics.items()}
    refused = {name: f"{100 * metrics[f'refused_{name}']:.1f} % of {words}" for name, words in REFUSED.items()}
    for said in (
        "{test_accuracy} % (95 % interval {test_accuracy_low} to {test_accuracy_high})",
        "{strokes_accuracy} % on average, {strokes_worst_accuracy} % in the worst of eight ways",
        "{test_refused} % of MNIST's test images and {strokes_refused} % of the pen strokes",
        "{strokes_ece} % on pen strokes, {test_ece} % on MNIST",
    ):
        assert said.format(**percent) in text
    assert ", ".join(refused.values()) in text
    seeds = json.loads((ROOT / "metrics/seeds.json").read_text())["spread"]
    for name, words in {"test_accuracy": "on MNIST", "strokes_accuracy": "on pen strokes"}.items():
        mean, low, high = (f"{100 * seeds[name][kind]:.2f}" for kind in ("mean", "min", "max"))
        assert f"{mean} % {words} ({low} to {high})" in text


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
