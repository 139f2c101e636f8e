"""A copy of the project, and its command line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import mlflow

from pipeline.base.paths import ROOT
from pipeline.reproduce import copy_project

# As in an activated environment, and with a store of the copy's own.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"} | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
}


class Project:
    """A copy of the project, and its command line."""

    def __init__(self, directory):
        self.directory = directory

    def run(self, *arguments, ok=True):
        """Run `python -m ...` there; what it printed."""
        run = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.directory, env=ENVIRONMENT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (run.returncode == 0) == ok, run.stdout + run.stderr
        return run.stdout + run.stderr

    def git(self, *arguments):
        """Run git there; what it printed."""
        run = subprocess.run(["git", *arguments], cwd=self.directory, capture_output=True, text=True, check=True)
        return run.stdout

    def client(self):
        """Its MLflow store."""
        return mlflow.MlflowClient(f"sqlite:///{self.directory / 'mlflow.db'}")

    def is_up_to_date(self):
        return "up to date" in self.run("dvc", "status")

    def read(self, name):
        return (self.directory / name).read_text()

    def commit(self):
        """Commit all that is there."""
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", "a change")


def stages_run(output):
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '")]


def committed_project(directory, overrides):
    """A copy that is a git repository, under DVC as this one is."""
    copy_project(directory, overrides)
    project = Project(directory)
    shutil.rmtree(directory / ".dvc")  # made to do without git
    project.git("init", "-q")
    for name, value in (("user.name", "a user"), ("user.email", "user@example.org")):
        project.git("config", name, value)
    project.run("dvc", "init", "-q")
    shutil.copy(ROOT / ".dvc" / "config", directory / ".dvc" / "config")
    project.commit()
    return project
