import subprocess
import sys

import pytest

from pipeline.base.paths import ROOT


def run(*arguments, cwd=ROOT, code=0):
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stderr


def test_only_the_start_messages_of_tensorflow_are_hidden(tmp_path):
    lines = ["I0000 00:00:1 1 port.cc:153] oneDNN is on", "W0000 00:00:1 1 a warning", "F0000 00:00:1 1 no AVX"]
    (tmp_path / "tensorflow.py").write_text(f"import os; os.write(2, {chr(10).join(lines).encode()}); os.abort()")
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; import pipeline, tensorflow"
    assert run("-c", code, code=-6).splitlines() == lines[1:]


@pytest.mark.workflow
def test_tensorflow_starts_without_messages():
    code = "import pipeline, keras, tensorflow as tf; tf.matmul(tf.ones((4, 4)), tf.ones((4, 4)))"
    assert run("-c", code) == ""


def test_without_the_environment_a_command_names_it_in_one_line():
    (line,) = run("-S", "-m", "pipeline.train", code=1).splitlines()
    assert line.startswith(f"error: {sys.executable} has no hydra, ")
    assert ".venv/bin/python -m" in line
