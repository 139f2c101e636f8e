import signal
import subprocess
import sys
import time

import psutil
import pytest

from pipeline.base.paths import ROOT

STAGE = """
import os, signal, sys, time
from pathlib import Path
if sys.argv[1] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
Path("started").write_text(str(os.getpid()))
os.replace("started", "stage")
time.sleep(300)
"""
REPRODUCE = """
import sys
from pathlib import Path
from pipeline import reproduce
reproduce.ROOT, reproduce.PATIENCE_S = Path(sys.argv[1]), 1
reproduce.main(["all"])
"""


@pytest.mark.workflow
@pytest.mark.parametrize(("sent", "code", "hearing"), [(signal.SIGTERM, 143, "deaf"), (signal.SIGINT, 130, "prompt")])
def test_a_stage_ends_with_the_command_that_ran_it(sent, code, hearing, tmp_path):
    (tmp_path / "stage.py").write_text(STAGE)
    (tmp_path / "dvc.yaml").write_text(f"stages:\n  wait:\n    cmd: python stage.py {hearing}\n")
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=tmp_path, check=True)
    process = subprocess.Popen([sys.executable, "-c", REPRODUCE, str(tmp_path)], cwd=ROOT)
    try:
        while not (tmp_path / "stage").exists():
            assert process.poll() is None
            time.sleep(0.05)
        stage = psutil.Process(int((tmp_path / "stage").read_text()))
        process.send_signal(sent)
        assert process.wait(60) == code
        assert not stage.is_running() or stage.status() == psutil.STATUS_ZOMBIE
    finally:
        process.kill()
        process.wait()
