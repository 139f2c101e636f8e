import pytest

from pipeline import refusal_rates
from pipeline.calibration import Calibration
from pipeline.config import load_config
from pipeline.model import build_network
from pipeline.nondigits import FAMILIES
from pipeline.reader import Reader


@pytest.fixture
def network(monkeypatch):
    monkeypatch.setattr(refusal_rates, "N_EACH", 4)
    return build_network(load_config(["model.width=0.25"]).model)


def test_the_states_of_each_family_are_shares(network):
    reader = Reader(network, Calibration(1.0, {"digit": 0.9, "unsure": 0.3}))
    for states in refusal_rates.measure_refusal(reader).values():
        assert sum(states.values()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("threshold", "state"), [(0.0, "digit"), (2.0, "not_a_digit")])
def test_the_thresholds_decide_and_blank_stays_blank(network, threshold, state):
    reader = Reader(network, Calibration(1.0, {"digit": threshold, "unsure": threshold}))
    for name, states in refusal_rates.measure_refusal(reader).items():
        if FAMILIES[name].kind != "blank":
            assert states[state] == 1
        elif threshold:
            assert states["blank"] == 1
