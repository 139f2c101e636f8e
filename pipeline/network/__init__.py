"""The networks, the calibration of their answers, and the history of a training."""
