import pytest
from hydra.plugins.launcher import Launcher

from hydra_plugins.grid_sweeper import N_FRUITLESS, _Again
from pipeline.base.errors import ConfigError
from pipeline.base.files import write_json
from pipeline.tracking import grid

VALUES = ["train.seed=0,1"]


@pytest.fixture
def sweeps(tmp_path, monkeypatch):
    monkeypatch.setattr(grid, "OUTPUTS", tmp_path)
    return tmp_path / "multirun"


def open_and_fail(directory, values=VALUES):
    with pytest.raises(KeyboardInterrupt), grid.open_grid(directory, values) as opened:
        raise KeyboardInterrupt
    return opened


def test_the_same_command_continues_a_grid_until_it_ends(sweeps):
    first = open_and_fail(sweeps / "1")
    other = open_and_fail(sweeps / "2", ["train.seed=0,2"])
    assert other != first
    with grid.open_grid(sweeps / "3", VALUES) as opened:
        assert opened == first
    with grid.open_grid(sweeps / "4", VALUES) as opened:
        assert opened[0] == sweeps / "4"
        assert opened[1] != first[1]


def test_changed_code_starts_another_grid(sweeps, monkeypatch):
    first = open_and_fail(sweeps / "1")
    digests = grid.code_digests()
    assert len(digests) > 20
    monkeypatch.setattr(grid, "code_digests", lambda: [*digests[:-1], "0" * 64])
    assert open_and_fail(sweeps / "2") != first


def test_a_grid_belongs_to_one_process_at_a_time(sweeps):
    with grid.open_grid(sweeps / "1", VALUES) as first:
        assert open_and_fail(sweeps / "2") != first
        with pytest.raises(ConfigError, match="another process"), grid.open_grid(sweeps / "1", ["other"]):
            pass


def test_a_named_directory_continues_only_its_own_grid(sweeps, tmp_path):
    first = open_and_fail(sweeps / "1")
    with grid.open_grid(tmp_path / "named" / "1", VALUES) as opened:
        assert opened != first


@pytest.mark.parametrize(("grid_id", "is_trained"), [("this", False), ("another", True)])
def test_a_trial_is_trained_once_in_each_grid(tmp_path, monkeypatch, grid_id, is_trained):
    sweep = tmp_path / "sweep.json"
    monkeypatch.setenv(grid.SWEEP, str(sweep))
    write_json(sweep, {"start": {"tags": {grid.TAG: "this"}}})
    with grid.claimed(tmp_path) as finished:
        assert finished is None
        grid.keep(tmp_path, {"val_accuracy": 0.5})
    write_json(sweep, {"start": {"tags": {grid.TAG: grid_id}}})
    with grid.claimed(tmp_path) as finished:
        assert finished == (None if is_trained else {"val_accuracy": 0.5})


class FailingLauncher(Launcher):
    """Finish one trial for each launch until `n_finishing` are finished; always lose a worker."""

    def __init__(self, directory, n_finishing):
        self.directory, self.n_finishing, self.n_launches = directory, n_finishing, 0

    def setup(self, **_):
        pass

    def launch(self, job_overrides, initial_job_idx):
        self.n_launches += 1
        if self.n_launches <= self.n_finishing:
            write_json(self.directory / str(self.n_launches) / grid.RESULT, {})
        raise RuntimeError("a worker was killed")


@pytest.mark.parametrize("n_finishing", [0, 5])
def test_a_grid_gives_up_only_when_no_further_trial_finishes(tmp_path, n_finishing):
    launcher = FailingLauncher(tmp_path, n_finishing)
    with pytest.raises(RuntimeError, match="killed"):
        _Again(launcher, tmp_path).launch([[]], 0)
    assert launcher.n_launches == n_finishing + N_FRUITLESS
