import numpy as np
import pytest

from pipeline.base.errors import ConfigError
from pipeline.base.paths import Outputs
from pipeline.dataset.splits import NO_DIGIT, Split
from pipeline.registry.gates import LIMITS, Gate, absolute_gates, find_correct, load_limits, relative_gates
from serving.model.predictor import Predictor


def hits(n_right, n=1000):
    return np.arange(n) < n_right


def failed(gates):
    return [gate.name for gate in gates if not gate.passes]


def compare(right, champion, ratio=1.0):
    return failed(relative_gates(right, champion, ratio, load_limits()))


@pytest.mark.parametrize(
    ("n_right", "size_bytes", "expected"),
    [
        ((990, 990, 960), 1000, []),
        ((900, 990, 960), 1000, ["mnist"]),
        ((990, 900, 900), 1000, ["skeletons", "nondigits"]),
        ((990, 990, 960), load_limits().size_bytes + 1, ["size_bytes"]),
    ],
)
def test_every_model_must_pass_the_absolute_gates(n_right, size_bytes, expected):
    right = dict(zip(("mnist", "skeletons", "nondigits"), map(hits, n_right), strict=True))
    assert failed(absolute_gates(right, size_bytes, load_limits())) == expected


@pytest.mark.parametrize(
    ("right", "ratio", "expected"),
    [
        (hits(990), 1.0, []),
        (hits(980), 1.0, ["mnist_p_value"]),
        (np.roll(hits(990), 5), 1.0, []),  # lost as many images as it won
        (hits(990), 2.0, ["latency_ratio"]),
    ],
)
def test_a_challenger_fails_if_it_is_significantly_worse_or_slower(right, ratio, expected):
    assert compare({"mnist": right}, {"mnist": hits(990)}, ratio) == expected


def test_the_level_is_shared_among_the_parts():
    champion = dict.fromkeys(("mnist", "pendigits", "skeletons", "nondigits"), hits(990))
    few, many = champion | {"mnist": hits(985)}, champion | {"mnist": hits(983)}  # p = 1/32 and 1/128
    assert compare(few, champion) == []
    assert compare(many, champion) == ["mnist_p_value"]
    assert compare({"mnist": few["mnist"]}, champion) == ["mnist_p_value"]


def test_nan_passes_no_gate():
    for is_least in (True, False):
        assert str(Gate("parity", float("nan"), 0.1, is_least)).startswith("FAILS: nan")


def test_correct_answers_are_counted_for_each_part(digits):
    images, labels = digits[0][::50], digits[1][::50]
    noise = np.random.default_rng(0).integers(0, 255, (5, 28, 28)).astype(np.uint8)
    wrong = Split(images[:5], (labels[:5] + 1) % 10)
    split = Split(
        np.concatenate([images, wrong.images, noise]), np.concatenate([labels, wrong.labels, np.full(5, NO_DIGIT)])
    )
    right = find_correct(Predictor.load(Outputs().model), split, {"mnist": 100, "wrong": 5, "none": 0, "nondigits": 5})
    assert {name: len(part) for name, part in right.items()} == {"mnist": 100, "wrong": 5, "nondigits": 5}
    assert right["mnist"].mean() > 0.95
    assert not right["wrong"].any()
    assert right["nondigits"].all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"mnist: [", " can't be read.*\n.*while parsing"),
        (b"- mnist", r": .*valid dictionary.*: \['mnist'\]"),
        (LIMITS.read_bytes().replace(b"mnist: 0.985", b"mnist: 2"), ": mnist: .* less than or equal to 1: 2"),
        (LIMITS.read_bytes().replace(b"mnist:", b"minst:"), ": mnist: Field required.*\nconf/gates.yaml: minst: Extra"),
    ],
    ids=["no YAML", "a list", "out of range", "unknown"],
)
def test_invalid_limits_are_rejected(tmp_path, content, message):
    path = tmp_path / "gates.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"^conf/gates\.yaml{message}"):
        load_limits(path)
