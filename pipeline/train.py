"""Stage 3: train the network, and fit its temperature and thresholds to validation images.

python -m pipeline.train                                             the stage, as `dvc repro` runs it
python -m pipeline.train model.width=0.5                             an experiment, below outputs/run/
python -m pipeline.train -m train.learning_rate=0.001,0.003          a sweep, below outputs/multirun/
python -m pipeline.train -m hydra/sweeper=tpe                        a search; conf/hydra/sweeper/ has others
"""

import logging
import os
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

from pipeline.base.errors import InklingError, Pruned
from pipeline.base.files import write_atomic, write_json
from pipeline.base.paths import CONF, Outputs
from pipeline.config.schema import Config
from pipeline.config.values import check, check_command_line
from pipeline.dataset.splits import NO_DIGIT, check_data, load_card, load_split, part_slices, select_parts
from pipeline.network.calibration import Calibration, calibrate
from pipeline.network.history import Epoch, kept_epoch, save_history
from pipeline.runtime.stage import exit_with_signal_status
from pipeline.tracking import grid, study

log = logging.getLogger(__name__)


def train(config: Config, outputs: Outputs, name: str = "pipeline") -> dict[str, float]:
    """Train and calibrate the network. Write weights, calibration, metrics and plots, and record an MLflow run.

    Args:
        config: the values.
        outputs: paths of the files to write.
        name: name of the run.

    Returns:
        `val_accuracy` of the kept epoch, 0 to 1, and `n_weights` of the network. A search can optimise them.

    Raises:
        DataError: the prepared data is missing or was made with other parameters.
        TrainingError: the loss is not finite.
        Pruned: a search stopped this trial.
    """
    card = load_card()
    check_data(card, data=config.data.model_dump(), strokes=config.strokes.model_dump())
    parts = config.train.parts
    training, validation = (select_parts(load_split(name), card.parts[name], parts) for name in ("train", "validation"))
    card = card.restrict_to(parts)

    # TensorFlow and MLflow take seconds to load, so parameters and data are checked first.
    from pipeline.base.figures import save_figure
    from pipeline.network.networks import build_network
    from pipeline.runtime.mode import set_up, use_float32
    from pipeline.tracking import runs
    from pipeline.training import curves
    from pipeline.training.trainer import Trainer, predict_logits

    set_up(config.runtime, config.train.seed)
    with runs.start_run(name, config, card, outputs) as run:
        run.log_data({"train": training, "validation": validation}, card)
        trainer = Trainer(build_network(config.model), training, validation, config.train)

        def on_epoch(epoch: Epoch, seconds: float) -> None:
            run.log_epoch(epoch, seconds)
            study.report(epoch)

        history, weights = trainer.fit(on_epoch)
        kept = kept_epoch(history, config.train.patience)

        use_float32()  # the precision of calibration and measurements, even if the training used another
        network = build_network(config.model)
        network.set_weights(weights)
        logits = predict_logits(network, validation.images)
        calibration = calibrate(logits, validation.labels, card.parts["validation"], config.decision)
        write_atomic(outputs.weights, network.save_weights)
        calibration.save(outputs.calibration)
        figures = asdict(kept) | measure_parts(logits, validation.labels, card.parts["validation"], calibration)
        write_json(outputs.metrics("train"), figures | {"temperature": calibration.temperature})
        save_history(history, outputs.plot("history.csv"))
        save_figure(curves.curves(history, kept.epoch), outputs.plot("curves.png"))
        n_weights = network.count_params()
        run.log_results(outputs, kept, n_weights)
        results = dict(zip(study.FIGURES, (kept.val_accuracy, n_weights), strict=True))
        grid.keep(outputs.directory, results)
    return results


def measure_parts(
    logits: np.ndarray, labels: np.ndarray, parts: Mapping[str, int], calibration: Calibration
) -> dict[str, float]:
    """Return the share of refused images for each kind of validation image, and for digits also the accuracy.

    Args:
        logits: float32 ``[n, N_OUTPUTS]``.
        labels: int32 ``[n]``.
        parts: number of images of each kind, in their order.
        calibration: contains the threshold below which an image is refused.
    """
    is_right = logits[:, :-1].argmax(axis=1) == labels
    is_refused = expit(logits[:, -1]) < calibration.thresholds["digit_score"]
    figures = {}
    for name, part in part_slices(parts).items():
        if (labels[part] != NO_DIGIT).all():
            figures[f"val_{name}_accuracy"] = round(float(is_right[part].mean()), 6)
        figures[f"val_{name}_refused"] = round(float(is_refused[part].mean()), 6)
    return figures


@hydra.main(config_path=str(CONF), config_name="config", version_base="1.3")
def main(composed: DictConfig) -> float | None:
    """Run the command line. Only a run without overrides writes the files that DVC tracks.

    Returns:
        Validation accuracy, which a sweep maximises; None if a search stopped the trial.
    """
    run = HydraConfig.get()
    overrides = list(run.overrides.task)
    is_sweep = run.mode == RunMode.MULTIRUN
    try:
        config = check(composed)
        if not overrides and not is_sweep:
            # The name that `dvc exp show` lists.
            outputs, name = Outputs(), os.environ.get("DVC_EXP_NAME", "pipeline")
        else:
            outputs, name = Outputs(Path(run.runtime.output_dir)), " ".join(overrides) or "experiment"
        with grid.claimed(outputs.directory) as finished:
            figures = finished or train(config, outputs, name)
        study.tell(figures)
        return figures["val_accuracy"]
    except Pruned:
        return None
    except InklingError as error:
        if is_sweep:  # the other trials continue
            raise
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    with exit_with_signal_status():
        check_command_line(sys.argv[1:])
        main()
