"""The pipeline: one module for each DVC stage and command, and the packages that they share."""

from pipeline.runtime.pins import pin_loading
from pipeline.runtime.start import start

# Every import of the pipeline passes here, usually before numpy is loaded.
pin_loading()
start()
