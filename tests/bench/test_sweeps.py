from bench.sweeps import summarize


def test_ratios_are_to_the_trainings_and_to_the_basic_launcher():
    measured = {
        "basic": {"wall_seconds": 30.0, "training_seconds": 20.0},
        "joblib": {"wall_seconds": 20.0, "training_seconds": 32.0},
    }
    assert summarize(measured) == {
        "basic": {"wall_seconds": 30.0, "training_seconds": 20.0, "wall_to_training": 1.5, "speed_up": 1.0},
        "joblib": {"wall_seconds": 20.0, "training_seconds": 32.0, "wall_to_training": 0.625, "speed_up": 1.5},
    }
