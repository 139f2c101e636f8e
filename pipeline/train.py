"""Stage 3: the network, trained, with the epoch, the temperature and the thresholds chosen on validation images.

python -m pipeline.train                                             the stage, as `dvc repro` runs it
python -m pipeline.train model.width=0.5                             an experiment, below outputs/run/
python -m pipeline.train -m train.learning_rate=0.001,0.003          a sweep, below outputs/multirun/
"""

import logging
import sys
from dataclasses import asdict
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from pipeline.config import Config, check
from pipeline.data import DataCard, load_card, load_split, write_atomic, write_json
from pipeline.errors import ConfigError, DataError, InklingError
from pipeline.history import best_epoch, save_history
from pipeline.paths import CONF, Outputs

log = logging.getLogger(__name__)


def train(config: Config, outputs: Outputs, name: str = "pipeline") -> float:
    """Train, calibrate, write weights, calibration, metrics and plots, and record it all as an MLflow run.

    Returns:
        Validation accuracy at the best epoch, which a sweep maximises.

    Raises:
        DataError: the prepared data is missing or was made with other parameters.
    """
    card = load_card()
    _check_data(card, config)
    training, validation = load_split("train"), load_split("validation")

    # TensorFlow and MLflow take seconds to load: not before parameters and data are known to be good.
    from pipeline import plots, tracking
    from pipeline.calibration import calibrate
    from pipeline.model import build_network
    from pipeline.runtime import set_up, use_float32
    from pipeline.trainer import Trainer, predict_logits

    set_up(config.runtime, config.train.seed)
    with tracking.start_run(name, config, card) as run:
        run.log_data({"train": training, "validation": validation}, card)
        trainer = Trainer(build_network(config.model), training, validation, config.train)
        history, weights = trainer.fit(run.log_epoch)
        best = best_epoch(history)

        use_float32()  # whatever it was trained in
        network = build_network(config.model)
        network.set_weights(weights)
        calibration = calibrate(predict_logits(network, validation.images), validation.labels, config.decision)
        write_atomic(outputs.weights, network.save_weights)
        calibration.save(outputs.calibration)
        write_json(outputs.metrics("train"), asdict(best) | {"temperature": calibration.temperature})
        save_history(history, outputs.plot("history.csv"))
        plots.save_figure(plots.curves(history, best.epoch), outputs.plot("curves.png"))
        run.log_results(outputs, best)
    return best.val_accuracy


def _check_data(card: DataCard, config: Config) -> None:
    wanted = {"data": config.data.model_dump(), "strokes": config.strokes.model_dump()}
    changed = [
        f"{section}.{key}={value}"
        for section, values in wanted.items()
        for key, value in values.items()
        if card.parameters.get(section, {}).get(key) != value
    ]
    if changed:
        raise DataError(
            f"the prepared data was made with other values than {', '.join(changed)}: run `dvc repro prepare`, or "
            f"`dvc exp run {' '.join(f'-S {override}' for override in changed)}` for an experiment"
        )


@hydra.main(config_path=str(CONF), config_name="config", version_base="1.3")
def main(composed: DictConfig) -> float:
    """The command line. What DVC tracks is written by a run without overrides alone."""
    run = HydraConfig.get()
    overrides = list(run.overrides.task)
    is_sweep = run.mode == RunMode.MULTIRUN
    try:
        config = check(composed)
        if is_sweep and any(override.startswith("runtime.") for override in overrides):
            raise ConfigError("runtime.* can't be swept: TensorFlow takes it once in a process; run them one by one")
        if not overrides and not is_sweep:
            return train(config, Outputs())
        return train(config, Outputs(Path(run.runtime.output_dir)), name=" ".join(overrides) or "experiment")
    except InklingError as error:
        if is_sweep:  # the other trials go on
            raise
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
