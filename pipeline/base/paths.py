"""Where everything lies. Nothing is created at import."""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# DVC runs a queued experiment in a copy of the project, which it then removes. What is to stay belongs to the project
# itself: this is how DVC names it to every stage.
PROJECT = Path(os.environ.get("DVC_ROOT", ROOT))
CONF = ROOT / "conf"
OUTPUTS = PROJECT / "outputs"
RAW = ROOT / "data" / "raw"
PREPARED = ROOT / "data" / "prepared"
# Beside data/raw and not in it: DVC empties a stage's outputs before it runs, and an interrupted download is resumed.
PARTIAL = ROOT / "data" / "partial"


@dataclass(frozen=True)
class Outputs:
    """What training, evaluation and export write, below one directory.

    The repository's root for the pipeline itself (where DVC tracks them), the run's own directory for an experiment.
    """

    directory: Path = ROOT

    @property
    def weights(self) -> Path:
        """Weights of the network at the epoch that is kept."""
        return self.directory / "models" / "network.weights.h5"

    @property
    def calibration(self) -> Path:
        """Temperature and decision thresholds."""
        return self.directory / "models" / "calibration.json"

    @property
    def model(self) -> Path:
        """The model file, pixels in, calibrated answer out."""
        return self.directory / "models" / "digits.onnx"

    @property
    def model_card(self) -> Path:
        """What the model file is, was made from and achieves, in words."""
        return self.directory / "docs" / "model_card.md"

    @property
    def journals(self) -> Path:
        """What the tracking store has not got of the runs."""
        return (OUTPUTS if self.directory == ROOT else self.directory) / "journals"

    def metrics(self, stage: str) -> Path:
        """Metrics of a stage, JSON."""
        return self.directory / "metrics" / f"{stage}.json"

    def plot(self, name: str) -> Path:
        """A plot's data (CSV) or picture (PNG)."""
        return self.directory / "plots" / name
