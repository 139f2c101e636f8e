"""The pipeline: one module for each DVC stage, named as the stage, and the libraries that they share."""

import os

# TensorFlow reads it when it is loaded: its warnings stay, its notes on processor features go.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
