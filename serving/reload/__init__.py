"""Swap the model of a running service, in one worker or in several."""
