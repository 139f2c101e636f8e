"""The service behind the drawing canvas: it answers pixels with calibrated probabilities."""

import os

# Before the import of onnxruntime, which from 1.29 on stores an identifier in the home directory and sends telemetry.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
