"""Golden images and answers, with which the service checks the model file."""

import base64
from typing import Any

import numpy as np

from pipeline.dataset.pictures import digit_source
from pipeline.modelfile.parity import SEED
from pipeline.nondigits.families import FAMILIES, draw_picture
from pipeline.reader.model import Reader, read_all
from serving.model.decisions import states

N_GOLDEN_CANDIDATES = 1000  # validation images
N_GOLDEN = 3  # number of the least certain digits, and of the non-digits
GOLDEN_FAMILIES = ("latin_letters", "symbols", "signs", "scribbles", "shapes")


def golden_images(reader: Reader, digits: np.ndarray) -> np.ndarray:
    """Return images for the self-check, uint8 ``[n, 28, 28]``.

    They are the most certain digit of each class, the least certain digits, a few clear non-digits, and a blank image.
    Any damage to the network changes the answers for the least certain digits.

    Args:
        reader: the reader that becomes the file.
        digits: validation images uint8 ``[n, 28, 28]``.
    """
    rng, shape = np.random.default_rng(SEED), (digits.shape[1], digits.shape[2])
    others = np.stack([draw_picture(FAMILIES[name], rng, digit_source([]), shape) for name in GOLDEN_FAMILIES])
    answers = read_all(reader, digits)
    surest = (answers["probabilities"] * answers["digit_score"][:, None]).argmax(axis=0)
    least_sure = answers["probabilities"].max(axis=1).argsort()[:N_GOLDEN]
    refused = read_all(reader, others)["digit_score"].argsort()[:N_GOLDEN]
    return np.concatenate([digits[surest], digits[least_sure], others[refused], np.zeros_like(digits[:1])])


def golden_answers(reader: Reader, images: np.ndarray) -> dict[str, Any]:
    """Return images and answers for the metadata, rounded so that all machines agree."""
    answers = read_all(reader, images)
    return {
        "images": base64.b64encode(images.tobytes()).decode("ascii"),
        "probabilities": answers["probabilities"].astype(np.float64).round(3).tolist(),
        "digit_score": answers["digit_score"].astype(np.float64).round(3).tolist(),
        "states": states(answers, reader.calibration.thresholds).tolist(),
    }
