from bench import seeds


def test_the_spread_covers_all_seeds():
    by_seed = {42: {"test_accuracy": 0.99}, 1: {"test_accuracy": 0.98}, 2: {"test_accuracy": 1.0}}
    summary = seeds.summarize(by_seed)
    assert summary["spread"]["test_accuracy"] == {"mean": 0.99, "sd": 0.01, "min": 0.98, "max": 1.0}
    assert list(summary["seeds"]) == ["42", "1", "2"]
