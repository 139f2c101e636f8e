import pytest

from bench import network_sha256, read
from bench.networks import build, multiply_adds, section
from pipeline.base.errors import ConfigError
from pipeline.config.values import load_config


def test_a_description_becomes_a_network_whose_cost_is_counted():
    network = build("c5s2x4 p c3x6", load_config())
    assert [layer.output.shape[1:] for layer in network.layers[:3]] == [(12, 12, 4), (6, 6, 4), (4, 4, 6)]
    assert multiply_adds(network) == 12 * 12 * 25 * 4 + 4 * 4 * 9 * 4 * 6 + 4 * 4 * 6 * 11
    with pytest.raises(ConfigError, match="'x' is no layer"):
        build("c3x8 x", load_config())


def test_the_rows_were_measured_with_the_values_that_the_table_shows():
    results = read("networks")
    for row in results["rows"]:
        assert row["params_sha256"] == network_sha256(load_config(row["values"]))
        assert row["network"] in section(results)
