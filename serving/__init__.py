"""The service behind the drawing canvas: pixels in, a calibrated answer out."""

__version__ = "0.1.0"
