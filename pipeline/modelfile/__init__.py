"""The model file: ONNX graph, metadata, checks and card."""
