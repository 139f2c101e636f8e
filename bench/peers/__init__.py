"""The service and its peers, measured side by side."""

OURS, FLOOR = "Inkling", "floor"
