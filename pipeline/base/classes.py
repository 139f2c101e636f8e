"""The names of the classes. Only this module defines their number."""

CLASSES = tuple("0123456789")
N_CLASSES = len(CLASSES)
