"""The pipeline: one module for each DVC stage, named as the stage, and the libraries that they share."""

import os

from pipeline.pins import pin_loading

# Whoever loads a module of this package comes by here first: before numpy, if nothing else has loaded it.
pin_loading()
# TensorFlow reads it when it is loaded: its warnings stay, its notes on processor features go.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
