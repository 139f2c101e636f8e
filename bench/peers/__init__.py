"""Comparison of the service with other model servers, its peers."""

OURS, FLOOR = "Inkling", "floor"
