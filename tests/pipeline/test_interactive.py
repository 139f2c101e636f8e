"""The prompts, at a pseudo-terminal and without one, and a training on a few images."""

import os
import pty
import re
import signal
import subprocess
import sys

import mlflow
import pytest

from pipeline.base.paths import ROOT
from pipeline.config.schema import describe
from pipeline.interactive import ASKED

ASK = "from rich.console import Console; from pipeline.interactive import ask; print('CHOSEN', ask({}, Console()))"


def typed(command, answers, cwd=ROOT, terminated_at=None):
    """Run a command at a terminal and type these lines; return its exit code and the screen.

    Send SIGTERM when the screen shows `terminated_at`.
    """
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": "200", "TERM": "xterm"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
            if terminated_at and terminated_at in plain(shown):
                process.send_signal(signal.SIGTERM)
                terminated_at = None
    except OSError:  # Linux: the other end is closed
        pass
    os.close(ours)
    return process.wait(60), plain(shown)


def plain(shown):
    """Return the text without escape sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode(errors="replace")).replace("\r", "")


@pytest.mark.workflow
def test_an_invalid_value_is_asked_again_with_the_reason():
    answers = {key: [""] for key in ASKED} | {
        "model.name": ["resnet", "seed_vision"],
        "train.epochs": ["0", "2"],
        "train.patience": ["null"],  # as it is
        "train.learning_rate": ["fast", "0.001,0.01", "[", "0.01"],
    }
    code, screen = typed(
        [sys.executable, "-c", ASK.format(["model.width=0.5", "model.dropout=0"])],
        [line for key in ASKED for line in answers[key]],
    )
    assert code == 0, screen
    chosen = ["model.width=0.5", "model.dropout=0", "model.name=seed_vision", "train.epochs=2"]
    assert screen.endswith(f"CHOSEN {[*chosen, 'train.learning_rate=0.01']}\n")
    assert "not 'resnet' (a module in pipeline/network/architectures)" in screen
    assert "train.epochs: input should be greater than or equal to 1, not 0" in screen
    for key, default in (("model.width", "0.5"), ("model.dropout", "0.0")):
        assert f"{key}  {describe(key)} ({default}): " in screen


@pytest.mark.workflow
def test_without_a_terminal_the_defaults_are_taken():
    command = [sys.executable, "-c", ASK.format(["train.epochs=2"])]
    run = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "CHOSEN ['train.epochs=2']"


@pytest.mark.slow
@pytest.mark.parametrize(("answers", "shown", "statuses"), [([], "model.name", []), ([""], "epoch 1/500", ["KILLED"])])
def test_sigterm_ends_the_prompts_and_a_training_with_its_run(small_project, answers, shown, statuses):
    command = [sys.executable, "-m", "pipeline.interactive", "model.width=0.25", "train.epochs=500"]
    code, screen = typed(command, answers * len(ASKED), small_project, shown)
    assert code == 130
    assert "Traceback" not in screen
    client = mlflow.MlflowClient(f"sqlite:///{small_project / 'mlflow.db'}")
    experiments = [one.experiment_id for one in client.search_experiments()]
    assert [run.info.status for run in client.search_runs(experiments)] == statuses


@pytest.mark.slow
def test_a_training_shows_its_progress_its_summary_and_its_run(small_project):
    project = small_project
    before = {path.name for path in project.iterdir()}
    answers = ["", "0.25", "", "", "2"] + [""] * (len(ASKED) - 5)
    code, screen = typed([sys.executable, "-m", "pipeline.interactive", "train.batch_size=16"], answers, project)
    assert code == 0, screen
    again = "python -m pipeline.interactive train.batch_size=16 model.width=0.25 train.epochs=2 </dev/null"
    assert again in screen
    for shown in ("epoch 1/2", "epoch 2/2", "val_mnist_accuracy", "make ui"):
        assert shown in screen
    (directory,) = (project / "outputs/interactive").iterdir()
    assert (directory / "models/network.weights.h5").exists()
    assert "width: 0.25" in (directory / "params.yaml").read_text()
    # Nothing of what DVC tracks: no models, metrics or plots.
    new = {path.name for path in project.iterdir()} - before - {"__pycache__"}
    assert new == {"mlartifacts", "mlflow.db", "outputs"}
    client = mlflow.MlflowClient(f"sqlite:///{project / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("inkling").experiment_id])
    assert (run.info.status, run.data.params["model.width"]) == ("FINISHED", "0.25")


@pytest.mark.slow
def test_without_data_nothing_is_asked(small_project):
    (small_project / "data/prepared/card.json").unlink()
    code, screen = typed([sys.executable, "-m", "pipeline.interactive"], [], small_project)
    assert code == 1
    assert "run `dvc repro prepare`" in screen
    assert "model.name" not in screen
