"""Tests of the service; they do not need the pipeline."""
