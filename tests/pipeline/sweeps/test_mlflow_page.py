import os
import subprocess
import sys

import pytest
from PIL import Image

from tests.contract.imports import ROOT
from tests.e2e.browser import find_browser

pytestmark = pytest.mark.slow


@pytest.mark.skipif(not find_browser(), reason="there is no browser")
def test_a_sweep_s_runs_are_compared_on_mlflow_s_page(project, tmp_path):
    """It fails where MLflow's page does not show what it is to show."""
    project.sweep("train.learning_rate=0.1,0.2,0.3", "model.dropout=0.1,0.3")
    picture = tmp_path / "mlflow.png"
    subprocess.run(
        [sys.executable, "-m", "tests.e2e.mlflow_page", "--picture", str(picture)],
        cwd=ROOT, env=os.environ | {"MLFLOW_TRACKING_URI": project.store}, check=True,
    )  # fmt: skip
    with Image.open(picture) as image:
        assert image.size == (1280, 760)
