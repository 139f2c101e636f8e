"""Errors, paths and files, which every other package of the pipeline uses."""
