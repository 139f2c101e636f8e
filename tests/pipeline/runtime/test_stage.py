import re
import signal
import subprocess
import sys

import pytest

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


FULL_DISK = """
import resource
from pathlib import Path
from pipeline.base.files import write_text
from pipeline.runtime.stage import run_stage

def work(config):
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    write_text(Path.cwd() / "file.txt", "x" * 200_000)

run_stage(work)
"""
READ_ONLY = "import os\nos.access = lambda *_: False" + CODE
INTERRUPTED = "import signal\nimport pipeline\nsignal.raise_signal(signal.SIGINT)"


def run(*arguments, code=CODE, cwd=ROOT):
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_a_stage_closes_what_is_open_on_sigterm():
    stage = run()
    assert (stage.returncode != 0, stage.stdout) == (True, "closed\n")


def test_a_stage_rejects_overrides_and_prints_the_command_that_accepts_them():
    stage = run("train.epochs=1")
    assert (stage.returncode, stage.stdout) == (1, "")
    assert stage.stderr.startswith("error: ")
    assert stage.stderr.endswith("\n  dvc exp run -S train.epochs=1\n")


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        (FULL_DISK, 1, "error: can't write .*file.txt .File too large.: make room .*"),
        (READ_ONLY, 1, "error: can't write in .*: make it writable, .*"),
        (INTERRUPTED, -signal.SIGINT, "interrupted: run the same command again"),
    ],
)
def test_a_full_disk_a_read_only_checkout_and_ctrl_c_end_a_stage_with_one_line(code, status, message, tmp_path):
    stage = run(code=f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{code}", cwd=tmp_path)
    assert (stage.returncode, stage.stdout) == (status, "")
    assert re.fullmatch(message + "\n", stage.stderr)
    assert list(tmp_path.iterdir()) == []
