"""Stage 3: the network, trained, and its temperature and thresholds fitted to validation images.

python -m pipeline.train                                             the stage, as `dvc repro` runs it
python -m pipeline.train model.width=0.5                             an experiment, below outputs/run/
python -m pipeline.train -m train.learning_rate=0.001,0.003          a sweep, below outputs/multirun/
"""

import logging
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import hydra
import numpy as np
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig
from scipy.special import expit

from pipeline.calibration import Calibration, calibrate
from pipeline.config import Config, check
from pipeline.data import (
    NO_DIGIT,
    DataCard,
    load_card,
    load_split,
    part_slices,
    write_atomic,
    write_json,
)
from pipeline.errors import ConfigError, DataError, InklingError
from pipeline.history import kept_epoch, save_history
from pipeline.paths import CONF, Outputs

log = logging.getLogger(__name__)


def train(config: Config, outputs: Outputs, name: str = "pipeline") -> float:
    """Train, calibrate, write weights, calibration, metrics and plots, and record it all as an MLflow run.

    Returns:
        Validation accuracy at the epoch that is kept, which a sweep maximises.

    Raises:
        DataError: the prepared data is missing or was made with other parameters.
    """
    card = load_card()
    _check_data(card, config)
    training, validation = load_split("train"), load_split("validation")

    # TensorFlow and MLflow take seconds to load: not before parameters and data are known to be good.
    from pipeline import plots, tracking
    from pipeline.model import build_network
    from pipeline.runtime import set_up, use_float32
    from pipeline.trainer import Trainer, predict_logits

    set_up(config.runtime, config.train.seed)
    with tracking.start_run(name, config, card) as run:
        run.log_data({"train": training, "validation": validation}, card)
        trainer = Trainer(build_network(config.model), training, validation, config.train)
        history, weights = trainer.fit(run.log_epoch)
        kept = kept_epoch(history, config.train.patience)

        use_float32()  # whatever it was trained in
        network = build_network(config.model)
        network.set_weights(weights)
        logits = predict_logits(network, validation.images)
        calibration = calibrate(logits, validation.labels, card.parts["validation"], config.decision)
        write_atomic(outputs.weights, network.save_weights)
        calibration.save(outputs.calibration)
        figures = asdict(kept) | measure_parts(logits, validation.labels, card.parts["validation"], calibration)
        write_json(outputs.metrics("train"), figures | {"temperature": calibration.temperature})
        save_history(history, outputs.plot("history.csv"))
        plots.save_figure(plots.curves(history, kept.epoch), outputs.plot("curves.png"))
        run.log_results(outputs, kept)
    return kept.val_accuracy


def measure_parts(
    logits: np.ndarray, labels: np.ndarray, parts: Mapping[str, int], calibration: Calibration
) -> dict[str, float]:
    """Figures of each kind of validation images: how many are refused, and of digits how many are read right.

    Args:
        logits: float32 ``[n, 11]``.
        labels: int32 ``[n]``.
        parts: as in the card of the data.
        calibration: whose threshold refuses.
    """
    is_right = logits[:, :-1].argmax(axis=1) == labels
    is_refused = expit(logits[:, -1]) < calibration.thresholds["digit_score"]
    figures = {}
    for name, part in part_slices(parts).items():
        if (labels[part] != NO_DIGIT).all():
            figures[f"val_{name}_accuracy"] = round(float(is_right[part].mean()), 6)
        figures[f"val_{name}_refused"] = round(float(is_refused[part].mean()), 6)
    return figures


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
