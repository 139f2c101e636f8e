"""Paths of the project. Importing this module creates nothing."""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# DVC runs a queued experiment in a temporary copy of the project, and names the project itself in DVC_ROOT.
PROJECT = Path(os.environ.get("DVC_ROOT", ROOT))
CONF = ROOT / "conf"
OUTPUTS = PROJECT / "outputs"
RAW = ROOT / "data" / "raw"
PREPARED = ROOT / "data" / "prepared"


@dataclass(frozen=True)
class Outputs:
    """Files that training, evaluation and export write.

    Attributes:
        directory: the repository for the DVC stages, the directory of the run for an experiment.
    """

    directory: Path = ROOT

    @property
    def weights(self) -> Path:
        """Weights of the kept epoch."""
        return self.directory / "models" / "network.weights.h5"

    @property
    def calibration(self) -> Path:
        """Temperature and decision thresholds."""
        return self.directory / "models" / "calibration.json"

    @property
    def model(self) -> Path:
        """The ONNX file, from pixels to calibrated answer."""
        return self.directory / "models" / "digits.onnx"

    @property
    def model_card(self) -> Path:
        """The model card, for readers."""
        return self.directory / "docs" / "model_card.md"

    @property
    def journals(self) -> Path:
        """Events that the tracking store has not received."""
        return (OUTPUTS if self.directory == ROOT else self.directory) / "journals"

    def metrics(self, stage: str) -> Path:
        """Return the path of a stage's metrics, JSON."""
        return self.directory / "metrics" / f"{stage}.json"

    def plot(self, name: str) -> Path:
        """Return the path of a plot's data (CSV) or picture (PNG)."""
        return self.directory / "plots" / name
