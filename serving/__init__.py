"""The service behind the drawing canvas: pixels in, a calibrated answer out."""

import os

# Before onnxruntime is loaded: from 1.29 on it keeps an identifier in the home directory, and sends what it measures.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
