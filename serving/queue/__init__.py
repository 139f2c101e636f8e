"""The queue in front of the model."""
