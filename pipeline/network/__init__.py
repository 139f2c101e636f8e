"""The networks, the calibration of their logits, and the history of a training run."""
