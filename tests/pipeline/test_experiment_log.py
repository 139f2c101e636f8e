import re

import numpy as np
import pytest

from pipeline.base.errors import DataError
from pipeline.base.paths import Outputs
from pipeline.config.values import load_config
from pipeline.dataset.splits import DataCard, Split
from pipeline.experiment_log import evaluate_run, find_runs, presets, write_log
from pipeline.network.calibration import Calibration
from pipeline.network.history import Epoch
from pipeline.network.networks import build_network
from pipeline.tracking import runs
from tests.project import Project

CARD = DataCard("mnist", "MNIST", 54_000, 6_000, 10_000, {}, 0, {}, {})
CONFIGS = {
    "baseline": load_config(["experiment=baseline", "model.width=0.1"]),
    "high_lr": load_config(["experiment=high_lr", "model.width=0.1", "train.patience=null"]),
}
HISTORIES = {
    "baseline": [Epoch(1, 0.5, 0.8, 0.4, 0.9, 0.001), Epoch(2, 0.3, 0.9, 0.35, 0.95, 0.001),
                 Epoch(3, 0.2, 0.9, 0.36, 0.94, 0.001)],
    "high_lr": [Epoch(1, 9.5, 0.1, 2.4, 0.11, 0.05), Epoch(2, 2.3, 0.1, 2.3, 0.1, 0.05)],
}  # fmt: skip


def record(config, history, outputs, answer):
    """Record a run with this history and a network that always gives the same answer."""
    network = build_network(config.model)
    weights = [np.zeros_like(weights) for weights in network.get_weights()]
    weights[-1][answer] = 5
    network.set_weights(weights)
    outputs.weights.parent.mkdir(parents=True)
    outputs.plot("").mkdir(parents=True)
    network.save_weights(outputs.weights)
    Calibration(1.0, {"digit_score": 0.1, "confidence": 0.2}).save(outputs.calibration)
    for file in ("curves.png", "history.csv"):
        outputs.plot(file).touch()
    with runs.start_run("a run", config, CARD, outputs) as run:
        for epoch in history:
            run.log_epoch(epoch, seconds=2.5)
        run.log_results(outputs, history[-1], network.count_params())


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Make a store with a run of each experiment, and a run with other values."""
    directory = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{directory / 'mlflow.db'}")
        patch.chdir(directory)  # for the artifacts
        for name, answer in (("baseline", 7), ("high_lr", 1)):
            record(CONFIGS[name], HISTORIES[name], Outputs(directory / name), answer)
        # Later and with the same name, but not with the values of the preset.
        other = load_config(["experiment=high_lr", "model.width=0.1", "train.epochs=1"])
        record(other, HISTORIES["baseline"], Outputs(directory / "other"), 3)
        yield directory


@pytest.fixture(scope="module")
def test_images():
    """Return ten images: four 7, two 1 and four others."""
    labels = np.array([7, 7, 7, 7, 1, 1, 0, 2, 3, 4], np.int32)
    images = np.zeros((10, 28, 28), np.uint8)
    images[:, 8:20, 12:16] = 255
    return Split(images, labels)


@pytest.fixture(scope="module")
def document(store, test_images, tmp_path_factory):
    results = {name: evaluate_run(CONFIGS[name], run, test_images) for name, run in find_runs(CONFIGS).items()}
    path = tmp_path_factory.mktemp("docs") / "experiment_log.md"
    write_log(results, CARD, path)
    return path


def row(document, heading, name):
    """Return the row of a table by column."""
    lines = document.read_text().splitlines()
    header = next(line for line in lines if heading in line)
    found = next(line for line in lines[lines.index(header) :] if line.startswith(f"| {name} |"))
    return dict(zip(*([cell.strip() for cell in line.strip("|").split("|")] for line in (header, found)), strict=True))


@pytest.mark.workflow
def test_hypotheses_and_results(document):
    baseline, high = (row(document, "| expected", name) for name in CONFIGS)
    assert high["expected"] == CONFIGS["high_lr"].experiment.hypothesis
    assert baseline["other than baseline"] == "nothing"
    assert high["other than baseline"] == "`train.patience=None`, `train.learning_rate=0.05`"
    assert (baseline["validation"], high["validation"]) == ("95.00 %", "10.00 %")
    assert high["MNIST test"].startswith("20.00 % (")
    assert (high["published"], high["difference, points"]) == ("10.28 %", "+9.72")
    assert (baseline["epochs (kept)"], high["epochs (kept)"]) == ("3 (2)", "2 (2)")
    assert (baseline["seconds"], high["seconds"]) == ("8", "5")
    assert "on 54,000 images; 6,000 other images choose the epoch" in document.read_text()
    # Two of ten are right for high_lr, so its interval is 6 to 51 %.
    assert "outside the interval for: baseline." in document.read_text()
    assert row(document, "against baseline", "baseline")["MNIST test, against baseline"] == ""
    high = row(document, "against baseline", "high_lr")
    assert high["MNIST test, against baseline"] == "-20.00 points: 2 right only here, 4 only there, p = 0.688"
    assert high["losses at the kept epoch"] == high["at the last epoch"] == "2.300, 2.300"
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", document.read_text()):
        assert (document.parent / link).stat().st_size > 100


@pytest.mark.workflow
def test_a_missing_run_is_named_with_its_command(store):
    with pytest.raises(DataError, match=r"python -m pipeline\.train -m experiment=high_lr,tiny_batch$"):
        find_runs({name: config for name, config in presets().items() if name in ("high_lr", "tiny_batch")})


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_one_command_runs_all_experiments_and_another_writes_the_log(small_project):
    for file, value, smaller in (
        ("experiment/baseline.yaml", "epochs: 20", "epochs: 1"),
        ("model/seed_vision.yaml", "width: 1.0", "width: 0.1"),
    ):
        preset = small_project / "conf" / file
        preset.write_text(preset.read_text().replace(value, smaller))
    project = Project(small_project)
    printed = project.run("pipeline.experiment_log", ok=False)
    assert "-m experiment=baseline,augmentation,batchnorm,high_lr,no_dropout,tiny_batch" in printed
    project.run("pipeline.train", "-m", "experiment=glob(*)")
    project.run("pipeline.experiment_log")
    for name in presets():
        assert row(small_project / "docs/experiment_log.md", "| expected", name)["epochs (kept)"] == "1 (1)"
    assert not (small_project / "metrics").exists()
