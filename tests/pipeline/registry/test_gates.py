import numpy as np
import pytest

from pipeline.base.errors import ConfigError
from pipeline.base.paths import Outputs
from pipeline.dataset.splits import NO_DIGIT, Split
from pipeline.registry.gates import (
    LIMITS,
    Gate,
    absolute_gates,
    latency_ratio,
    load_limits,
    read_right,
    relative_gates,
)
from serving.model.predictor import Predictor


def hits(n_right, n=1000):
    return np.arange(n) < n_right


def names(gates):
    return [gate.name for gate in gates if not gate.holds]


@pytest.fixture(scope="module")
def predictor():
    return Predictor.load(Outputs().model)


@pytest.mark.parametrize(
    ("n_right", "failed"),
    [((990, 990, 960), []), ((900, 990, 960), ["mnist"]), ((990, 900, 900), ["skeletons", "nondigits"])],
)
def test_what_every_model_has_to_hold(n_right, failed):
    right = dict(zip(("mnist", "skeletons", "nondigits"), map(hits, n_right), strict=True))
    assert names(absolute_gates(right, 1000, load_limits())) == failed


def test_a_file_that_is_too_large_is_refused():
    assert names(absolute_gates({"mnist": hits(1000)}, load_limits().size_bytes + 1, load_limits())) == ["size_bytes"]


def test_a_challenger_may_lose_some_images_but_not_be_seen_to_be_worse():
    champion = {"mnist": hits(990)}
    assert names(relative_gates({"mnist": hits(990)}, champion, 1.0, load_limits())) == []
    assert names(relative_gates({"mnist": hits(987)}, champion, 1.0, load_limits())) == []
    assert names(relative_gates({"mnist": hits(980)}, champion, 1.0, load_limits())) == ["mnist_p_value"]
    # As many lost, and as many won: the shares are the same, and nothing says which is better.
    assert names(relative_gates({"mnist": np.roll(hits(990), 5)}, champion, 1.0, load_limits())) == []
    assert names(relative_gates({"mnist": hits(990)}, champion, 2.0, load_limits())) == ["latency_ratio"]


def test_the_level_is_shared_among_the_parts():
    parts = ("mnist", "pendigits", "skeletons", "nondigits")
    champion = dict.fromkeys(parts, hits(990))
    few, many = champion | {"mnist": hits(985)}, champion | {"mnist": hits(983)}  # p = 1/32 and 1/128
    assert names(relative_gates(few, champion, 1.0, load_limits())) == []
    assert names(relative_gates(many, champion, 1.0, load_limits())) == ["mnist_p_value"]
    assert names(relative_gates({"mnist": few["mnist"]}, champion, 1.0, load_limits())) == ["mnist_p_value"]


@pytest.mark.parametrize("is_least", [True, False])
def test_what_was_not_measured_does_not_hold(is_least):
    gate = Gate("parity", float("nan"), 0.1, is_least)
    assert not gate.holds
    assert str(gate).startswith("FAILS: nan")


def test_what_the_file_gets_right_is_told_for_each_part(predictor, digits):
    images, labels = digits[0][::50], digits[1][::50].astype(np.int32)
    noise = np.random.default_rng(0).integers(0, 255, (5, 28, 28)).astype(np.uint8)
    wrong = Split(images[:5], (labels[:5] + 1) % 10)
    split = Split(
        np.concatenate([images, wrong.images, noise]), np.concatenate([labels, wrong.labels, np.full(5, NO_DIGIT)])
    )
    right = read_right(predictor, split, {"mnist": 100, "wrong": 5, "none": 0, "nondigits": 5})
    assert {name: len(part) for name, part in right.items()} == {"mnist": 100, "wrong": 5, "nondigits": 5}
    assert right["mnist"].mean() > 0.95
    assert not right["wrong"].any()
    assert right["nondigits"].all()


def test_a_file_takes_as_long_as_itself(predictor):
    assert latency_ratio(predictor, predictor) == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("mnist: 2", "mnist: .* less than or equal to 1, not 2"),
        ("minst: 1", "mnist: Field required\nconf/gates.yaml: minst: Extra"),
    ],
)
def test_limits_that_make_no_sense_are_refused(tmp_path, line, message):
    path = tmp_path / "gates.yaml"
    path.write_text(LIMITS.read_text().replace("mnist: 0.985", line))
    with pytest.raises(ConfigError, match=rf"^conf/gates\.yaml: {message}"):
        load_limits(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "can't be read.*\n.*No such file"),
        (b"mnist: [", "can't be read.*\n.*while parsing"),
        (b"mnist: \xff", "can't be read.*\n.*decode"),
        (b"- mnist", r"must give a number to each of mnist, strokes, .*, not \['mnist'\]"),
        (b"", "must give a number to each of .*, not None"),
    ],
    ids=["missing", "no YAML", "no text", "a list", "empty"],
)
def test_a_file_that_holds_no_limits_is_refused(tmp_path, content, message):
    path = tmp_path / "gates.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"^conf/gates\.yaml {message}"):
        load_limits(path)
