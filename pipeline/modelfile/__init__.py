"""The model file: the ONNX graph, its metadata, its checks and its card."""
