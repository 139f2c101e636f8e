"""Triton answers like the service.

INKLING_TRITONSERVER=.../tritonserver INKLING_MIRROR=... python -m pytest -m slow -s tests/deploy/test_triton.py
prints how far the answers are apart.
"""

import os

import numpy as np
import pytest
import tritonclient.http as triton

from deploy.triton import write_repository
from pipeline.dataset.cells import CELLS, draw_cell
from serving.model.card import MODEL_NAME, OUTPUTS
from serving.settings import Settings
from tests.deploy.tritonserver import VARIABLE, serving
from tests.e2e.test_real_digits import read_drawings
from tests.serving.under_load.process import running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(VARIABLE not in os.environ, reason=f"{VARIABLE} names no Triton: see docs/deploy.md"),
]

N_DRAWINGS = 1000
SEED = 0
AT_ONCE = 16  # requests, which Triton makes batches of
NAMES = [tensor.name for tensor in OUTPUTS]

# Other builds of onnxruntime round differently. Near .5 of a grey level, that shows; boxes are whole pixels.
TOLERANCES = {"probabilities": 1e-4, "digit_score": 1e-4, "normalized": 1, "box": 0}


@pytest.fixture(scope="module")
def canvases() -> np.ndarray:
    """Drawings of writers whom the model never saw, as the page sends them: uint8 [1000, 280, 280], dark on light."""
    drawings = read_drawings("tes")
    chosen = np.random.default_rng(SEED).choice(len(drawings), N_DRAWINGS, replace=False)
    parts = np.array_split(chosen, len(CELLS))
    cells = [
        np.concatenate([*draw_cell([drawings[i] for i in part], cell)]) for part, cell in zip(parts, CELLS, strict=True)
    ]
    return 255 - np.concatenate(cells)


def answers(address: str, images: np.ndarray, n_each: int = 1) -> dict[str, np.ndarray]:
    """What a server says of images, asked for `n_each` with a request, several requests at once."""
    results = []
    with triton.InferenceServerClient(address, concurrency=AT_ONCE) as client:
        for start in range(0, len(images), n_each * AT_ONCE):
            ends = range(start, min(start + n_each * AT_ONCE, len(images)), n_each)
            pending = [client.async_infer(MODEL_NAME, [tensor(images[i : i + n_each])]) for i in ends]
            results += [each.get_result(timeout=30) for each in pending]
    return {name: np.concatenate([result.as_numpy(name) for result in results]) for name in NAMES}


def tensor(images: np.ndarray) -> triton.InferInput:
    return triton.InferInput("image", list(images.shape), "UINT8").set_data_from_numpy(images)


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """The addresses of Triton and of our service."""
    folder = tmp_path_factory.mktemp("triton")
    write_repository(Settings.model, folder / "repository")
    with serving(folder / "repository", folder) as theirs, running(folder) as service:
        yield theirs, "{}:{}".format(*service.address)


@pytest.mark.parametrize("n_each", [1, 10])
def test_a_thousand_drawings_are_answered_alike(servers, canvases, n_each):
    assert canvases.shape == (N_DRAWINGS, 280, 280)
    theirs, ours = (answers(address, canvases, n_each) for address in servers)
    # Triton has no shape for one number per image but [batch, 1].
    assert theirs["digit_score"].shape == (N_DRAWINGS, 1)
    theirs["digit_score"] = theirs["digit_score"][:, 0]
    gaps = {name: float(np.abs(theirs[name].astype(float) - ours[name]).max()) for name in NAMES}
    digits = [each["probabilities"].argmax(axis=1) for each in (theirs, ours)]
    n_different = int((digits[0] != digits[1]).sum())
    n_grey = int((theirs["normalized"] != ours["normalized"]).any(axis=(1, 2)).sum())
    print(f"{N_DRAWINGS} drawings, {n_each} a request: largest differences {gaps}; {n_different} other digits, "
          f"{n_grey} other grids")  # fmt: skip
    assert n_different == 0
    assert all(gaps[name] <= TOLERANCES[name] for name in NAMES)


def test_sizes_and_classes_are_those_of_our_service(servers, canvases):
    rng = np.random.default_rng(SEED)
    for height, width in ((1, 1), (28, 28), (400, 300)):
        images = rng.integers(0, 256, (2, height, width), np.uint8)
        theirs, ours = (answers(address, images, 2) for address in servers)
        assert np.array_equal(theirs["box"], ours["box"])
        assert np.allclose(theirs["probabilities"], ours["probabilities"], atol=TOLERANCES["probabilities"])
    labels = []
    for address in servers:
        with triton.InferenceServerClient(address) as client:
            outputs = [triton.InferRequestedOutput("probabilities", class_count=2)]
            best = client.infer(MODEL_NAME, [tensor(canvases[:1])], outputs=outputs).as_numpy("probabilities")
            labels.append([text.decode().split(":")[1:] for text in best[0]])
    assert labels[0] == labels[1]
    assert labels[0][0][0] == labels[0][0][1]  # the file names the classes after their digits
