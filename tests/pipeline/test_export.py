import hashlib
import subprocess
import sys

import numpy as np
import pytest

from pipeline.base.errors import ParityError
from pipeline.base.paths import ROOT
from pipeline.modelfile.parity import compare, pictures, run_file
from pipeline.nondigits.families import FAMILIES
from pipeline.sources.unipen import Drawing
from serving.drawing.sheet import PICTURE_PX


def answers(n=4):
    return {
        "probabilities": np.full((n, 10), 0.1, np.float32) + np.eye(10, dtype=np.float32)[:n] * 0.1,
        "digit_score": np.full(n, 0.2, np.float32),
        "normalized": np.zeros((n, 28, 28), np.uint8),
        "box": np.zeros((n, 4), np.float32),
        "features": np.full((n, 16), 0.25, np.float32),
    }


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("probabilities", 2e-4, "a probability by up to 0.0002"),
        ("probabilities", np.nan, "nan"),
        ("digit_score", 1e-3, "digit_score differs"),
        ("normalized", 2, "normalized differs"),
        ("box", 1, "box differs"),
        ("features", 2e-3, "features differs"),
    ],
)
def test_equal_answers_pass_and_any_difference_is_refused(name, change, message):
    assert compare(answers(), answers(), 1e-4) == 0
    found = answers()
    found[name][-1] += np.array(change).astype(found[name].dtype)
    with pytest.raises(ParityError, match=message):
        compare(found, answers(), 1e-4)


def test_a_changed_class_is_refused_even_if_the_difference_is_small():
    expected, found = answers(), answers()
    expected["probabilities"][0, :2] = 0.5, 0.49999
    found["probabilities"][0, :2] = 0.49999, 0.5
    with pytest.raises(ParityError, match="1 of 4 classes differ"):
        compare(found, expected, 1e-4)


def test_a_missing_output_is_refused():
    found = answers()
    del found["features"]
    for pair in ((found, answers()), (answers(), found)):
        with pytest.raises(ParityError, match="the file has the outputs"):
            compare(*pair, 1e-4)
    assert compare(found, found, 1e-4) == 0


def test_the_comparison_covers_test_images_drawings_and_every_family():
    ell = [np.array([[0, 0], [0, 100], [60, 100]], np.float32)]
    batches = pictures(np.zeros((1200, 28, 28), np.uint8), [Drawing(1, 1, ell)] * 3)
    assert sum(len(batch) for batch in batches) == 1200 + 3 + 4 * len(FAMILIES)
    assert any(batch.shape == (3, PICTURE_PX, PICTURE_PX) for batch in batches)


def test_a_file_that_the_service_rejects_is_refused(tmp_path):
    (tmp_path / "digits.onnx").write_bytes(b"not a model")
    with pytest.raises(ParityError, match="the service cannot use the converted file: "):
        run_file(tmp_path / "digits.onnx", [np.zeros((1, 28, 28), np.uint8)])


CONVERT = """
import logging
import sys
import keras
from pipeline.network.calibration import Calibration
from pipeline.config.values import load_config
from pipeline.network.networks import build_network
from pipeline.modelfile.onnx_graph import convert
from pipeline.reader.model import Reader
logging.basicConfig(level=logging.INFO)
for _ in range(int(sys.argv[1])):
    network = build_network(load_config().model)  # each one's layers get other names
keras.utils.set_random_seed(1)
network = build_network(load_config(["model.width=0.25"]).model)
model = convert(Reader(network, Calibration(1.5, {})), 18, {"b": "2", "a": "1"})
sys.stdout.buffer.write(model.SerializeToString(deterministic=True))
"""


@pytest.mark.slow
def test_the_bytes_depend_on_the_weights_only():
    digests = set()
    for networks_before in ("1", "3"):
        run = subprocess.run(
            [sys.executable, "-c", CONVERT, networks_before], cwd=ROOT, capture_output=True, check=True
        )
        digests.add(hashlib.sha256(run.stdout).hexdigest())
        assert b"tf2onnx" not in run.stderr  # its report of each conversion
    assert len(digests) == 1
