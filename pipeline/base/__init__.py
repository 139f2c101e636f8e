"""Errors, paths and files: what every other package of the pipeline uses."""
