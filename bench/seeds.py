"""Measure how much the results vary with the seed.

python -m bench.seeds --seeds 1 2 3 4

Train once for each seed, below outputs/seeds/, and measure like `evaluate`. A finished training is repeated only if
params.yaml changes; after a change of the code, remove outputs/seeds/. The results choose no seed: the model keeps the
seed in params.yaml. Its own results are in the list.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from omegaconf import OmegaConf

from bench import LATER, origin
from pipeline.base.errors import InklingError
from pipeline.base.files import read_json, write_json
from pipeline.base.paths import ROOT, Outputs
from pipeline.config.schema import Config
from pipeline.config.values import load_config
from pipeline.dataset.splits import load_split
from pipeline.evaluation.metrics import Answered, measure
from pipeline.evaluation.strokes import average, load_test_drawings, measure_cells, read_cells
from pipeline.reader.model import Reader, load_reader, read_all
from pipeline.runtime.mode import set_up, use_float32

Figures = dict[str, float]
TIMING = "timing.json"  # seconds of the whole training process, including its start and the calibration
NAMES = ("val_accuracy", "test_accuracy", "strokes_accuracy", "strokes_worst_accuracy")
SPREAD: dict[str, Callable[[list[float]], float]] = {
    "mean": statistics.mean,
    "sd": statistics.stdev,
    "min": min,
    "max": max,
}


def train(seed: int) -> Outputs:
    """Return the outputs of the training with `seed`. Train only if they do not exist.

    Raises:
        InklingError: the training failed.
    """
    directory = f"outputs/seeds/{seed}"
    outputs = Outputs(ROOT / directory)
    if not is_trained(load_config([f"train.seed={seed}"]), outputs):
        shutil.rmtree(outputs.directory, ignore_errors=True)  # removes an unfinished run, or one with other parameters
        started = time.perf_counter()
        command = [sys.executable, "-m", "pipeline.train", f"train.seed={seed}", f"hydra.run.dir={directory}"]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            raise InklingError(f"the training with seed {seed} failed; the message above says why")
        write_json(outputs.directory / TIMING, {"train_seconds": round(time.perf_counter() - started, 1)})
    return outputs


def is_trained(config: Config, outputs: Outputs) -> bool:
    """Return whether the outputs of a training with these parameters are complete."""
    used = outputs.directory / ".hydra" / "config.yaml"  # Hydra writes this file when a run starts
    results = (used, outputs.directory / TIMING, outputs.weights, outputs.calibration, outputs.metrics("train"))
    if not all(file.exists() for file in results):
        return False
    own = OmegaConf.load(used)
    return all(OmegaConf.select(own, name) == values for name, values in config.model_dump(exclude=LATER).items())


def measure_run(reader: Reader, outputs: Outputs) -> Figures:
    """Return the accuracies of a trained network, 0 to 1."""
    test, thresholds = load_split("test"), reader.calibration.thresholds
    figures = {"val_accuracy": read_json(outputs.metrics("train"), made_by="train")["val_accuracy"]}
    figures |= measure("test", Answered(test.labels, read_all(reader, test.images)), thresholds)
    figures |= average(measure_cells(read_cells(reader, load_test_drawings()), thresholds))
    return {name: figures[name] for name in NAMES if name in figures}


def read_own() -> Figures:
    """Return the figures that the stages of the pipeline wrote."""
    outputs = Outputs()
    written = read_json(outputs.metrics("train"), made_by="train") | read_json(outputs.metrics("test"), "evaluate")
    return {name: written[name] for name in NAMES if name in written}


def summarize(config: Config, by_seed: dict[int, Figures]) -> dict[str, Any]:
    """Return the figures of each seed and their spread."""
    names = next(iter(by_seed.values()))
    return origin(config) | {
        "seeds": {str(seed): _rounded(figures) for seed, figures in by_seed.items()},
        "spread": {name: _spread([figures[name] for figures in by_seed.values()]) for name in names},
    }


def _spread(values: list[float]) -> Figures:
    return _rounded({kind: of(values) for kind, of in SPREAD.items()})


def _rounded(figures: Figures) -> Figures:
    return {name: round(value, 6) for name, value in figures.items()}


def _run(config: Config, seeds: list[int]) -> dict[int, Figures]:
    set_up(config.runtime, config.train.seed)
    use_float32()
    by_seed = {config.train.seed: read_own()}
    for seed in seeds:
        outputs = train(seed)
        by_seed[seed] = measure_run(load_reader(config.model, outputs), outputs)
        by_seed[seed] |= read_json(outputs.directory / TIMING, made_by="train")
    return by_seed


def _print(summary: dict[str, Any]) -> None:
    names = list(summary["spread"])
    print(f"{'seed':>6}", *(f"{name:>23}" for name in names))
    for seed, figures in summary["seeds"].items():
        print(f"{seed:>6}", *(f"{100 * figures[name]:>22.2f}%" for name in names))
    for kind in SPREAD:
        print(f"{kind:>6}", *(f"{100 * summary['spread'][name][kind]:>22.2f}%" for name in names))


def main() -> None:
    """Train and measure each seed, print a table, and write metrics/seeds.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", required=True, help="seeds besides the one in params.yaml")
    arguments = parser.parse_args()
    try:
        config = load_config()
        if config.train.seed in arguments.seeds:
            parser.error(f"{config.train.seed} is the seed in params.yaml; its results exist already")
        summary = summarize(config, _run(config, arguments.seeds))
    except InklingError as error:
        sys.exit(f"error: {error}")
    write_json(Outputs().metrics("seeds"), summary)
    _print(summary)


if __name__ == "__main__":
    main()
