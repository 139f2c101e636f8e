"""`python -m pipeline.train` with a training that takes no time, and whose seed selects a failure."""

import os
import signal
import time

import hydra

import pipeline.train
from pipeline.base.errors import TrainingError
from pipeline.base.paths import CONF, ROOT
from pipeline.dataset.splits import DataCard
from pipeline.network.history import Epoch
from pipeline.runtime.stage import exit_with_signal_status
from pipeline.tracking import grid, runs, study

RAISES, NAN, KILLED, SLOW, KILLED_ONCE = 1, 2, 3, 4, 5
CARD = DataCard("mnist", "MNIST", 2, 2, 2, {}, 0, {"train": "a" * 64, "validation": "b" * 64, "test": "c" * 64}, {})


def train(config, outputs, name):
    with runs.start_run(name, config, CARD, outputs) as run:
        (outputs.directory / "pid").write_text(str(os.getpid()))
        for number in range(1, config.train.epochs + 1):
            epoch = Epoch(number, 0.5, 0.8, 0.4, 1 - config.train.learning_rate / number, 0.001)
            run.log_epoch(epoch, 0.0)
            study.report(epoch)
            while config.train.seed == SLOW and not (ROOT / "go").exists():
                time.sleep(0.05)
        match config.train.seed:
            case seed if seed == RAISES:
                raise TrainingError("as its seed demands")
            case seed if seed == KILLED or (seed == KILLED_ONCE and not (ROOT / "killed").exists()):
                (ROOT / "killed").touch()
                os.kill(os.getpid(), signal.SIGKILL)
        accuracy = float("nan") if config.train.seed == NAN else epoch.val_accuracy
        for file in (outputs.weights, outputs.calibration, outputs.plot("curves.png"), outputs.plot("history.csv")):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(name)
        n_weights = round(1000 * config.model.width)
        run.log_results(outputs, epoch, n_weights)
        results = {"val_accuracy": accuracy, "n_weights": n_weights}
        grid.keep(outputs.directory, results)
    return results


@hydra.main(config_path=str(CONF), config_name="config", version_base="1.3")
def main(composed):
    pipeline.train.train = train  # this runs in the process of the trial
    return pipeline.train.main.__wrapped__(composed)


if __name__ == "__main__":
    with exit_with_signal_status():
        main()
