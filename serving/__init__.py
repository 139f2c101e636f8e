"""The service behind the drawing canvas: pixels in, a calibrated answer out."""
