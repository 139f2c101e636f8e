"""The reader: pixels to a calibrated answer, as one TensorFlow graph."""
