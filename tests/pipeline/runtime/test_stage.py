import subprocess
import sys

from pipeline.base.paths import ROOT

CODE = """
import os, signal
from pipeline.runtime.stage import run_stage

def work(config):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        print("closed")

run_stage(work)
"""


def run(*arguments):
    command = [sys.executable, "-c", CODE, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_stage_closes_what_is_open_on_sigterm():
    stage = run()
    assert (stage.returncode != 0, stage.stdout) == (True, "closed\n")


def test_a_stage_rejects_overrides_and_prints_the_command_that_accepts_them():
    stage = run("train.epochs=1")
    assert (stage.returncode, stage.stdout) == (1, "")
    assert stage.stderr.startswith("error: ")
    assert stage.stderr.endswith("\n  dvc exp run -S train.epochs=1\n")
