"""The names of the classes. Nothing else in the pipeline counts them."""

CLASSES = tuple("0123456789")
N_CLASSES = len(CLASSES)
