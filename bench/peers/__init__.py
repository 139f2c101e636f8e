"""Comparison of the service with other model servers, its peers."""

OURS, FLOOR, HAND = "Inkling", "floor", "FastAPI by hand"
