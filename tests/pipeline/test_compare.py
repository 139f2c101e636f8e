from dataclasses import replace

import pytest
from scipy.stats import ttest_rel

from pipeline import compare
from pipeline.registry.store import ACCURACY, Trial


def trial(rate, seed, accuracy, status="FINISHED", **tags):
    parameters = {"train.learning_rate": str(rate), "train.seed": str(seed), "model.width": "1.0"}
    return Trial("id", "a", status, parameters, {ACCURACY: accuracy}, tags, 10.0, "1")


def test_settings_are_ranked_by_their_mean_over_seeds_and_paired_by_seed():
    steady = [trial(0.001, seed, accuracy) for seed, accuracy in ((1, 0.980), (2, 0.990), (3, 0.986))]
    lucky = [trial(0.1, seed, accuracy) for seed, accuracy in ((1, 0.999), (2, 0.950), (3, 0.951), (4, 0.2))]
    unusable = [trial(0.5, 1, 1.0, "FAILED"), trial(0.5, 2, 1.0, pruned="true"), trial(0.5, 3, 1.0, diverged="true")]
    reasons = ["it is FAILED", "it was pruned by the search", "its training diverged"]
    assert [one.failure for one in unusable] == reasons
    best, other = compare.group([*lucky, *unusable, *steady])
    assert (best.values, best.accuracy) == ("train.learning_rate=0.001", pytest.approx(0.9853, abs=1e-4))
    assert len(other.accuracies) == 4
    difference, p = compare.paired(other, best)  # the fourth seed has no partner
    assert difference == pytest.approx((0.019 - 0.040 - 0.035) / 3)
    assert p == ttest_rel([0.999, 0.950, 0.951], [0.980, 0.990, 0.986]).pvalue
    assert compare.paired(best, best) is None


def test_a_repeated_seed_counts_once_and_one_seed_has_no_interval():
    (setting,) = compare.group([trial(0.1, 1, 0.9), trial(0.1, 1, 0.8)])  # the latest comes first
    assert setting.accuracies == {"1": 0.9}
    assert compare.mean_interval([0.9]) is None
    low, high = compare.mean_interval([0.98, 0.99, 0.986])
    assert (low, high) == (pytest.approx(0.97283, abs=1e-5), pytest.approx(0.99784, abs=1e-5))


def test_the_table_and_the_picture_belong_to_the_run_of_the_sweep(monkeypatch, tmp_path, capsys):
    sent = []
    trials = [replace(trial(0.1, seed, 0.9 + seed / 100), tags={"mlflow.parentRunId": "sweep"}) for seed in (1, 2)]
    monkeypatch.setattr("pipeline.registry.store.load_sweep", lambda _: [*trials, replace(trials[0], status="KILLED")])
    monkeypatch.setattr("pipeline.registry.store.log_files", lambda *arguments: sent.append(arguments))
    monkeypatch.setattr(compare, "OUTPUTS", tmp_path)
    compare.summarize()
    printed = capsys.readouterr().out
    assert "   91.50%  85.15% to 97.85% (2)" in printed
    assert "/#/experiments/1/runs/sweep" in printed
    assert "`python -m pipeline.promote sweep`" in printed
    ((run_id, _, table, picture),) = sent
    assert (run_id, table.read_text().splitlines()[0]) == ("sweep", ",".join(compare.HEADER))
    assert picture.read_bytes().startswith(b"\x89PNG")
