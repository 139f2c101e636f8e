"""The reader: one TensorFlow graph from pixels to a calibrated answer."""
