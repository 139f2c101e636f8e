"""The pipeline: one module for each DVC stage, named as the stage, and the libraries that they share."""

import os
import sys
from pathlib import Path

from pipeline.runtime.pins import pin_loading

# Whoever loads a module of this package comes by here first: before numpy, if nothing else has loaded it.
pin_loading()
# With it, numpy would refuse to be loaded beside the list of what it is to leave.
os.environ.pop("NPY_ENABLE_CPU_FEATURES", None)
# TensorFlow reads it when it is loaded: its warnings stay, its notes on processor features go.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# While `python -m pipeline.<name>` looks for its module, "-m" stands here. Installed, this package is a library; what
# its commands read and write lies in a checkout.
if sys.argv[0] == "-m" and not (Path(__file__).resolve().parents[1] / "params.yaml").is_file():
    sys.exit(
        f"error: the pipeline's commands run in a checkout of Inkling, and {Path.cwd()} is none: conf/, params.yaml "
        "and dvc.yaml are not installed. Change to the checkout's folder, and run the command there."
    )
