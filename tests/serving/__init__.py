"""Tests of the service; they need nothing of the pipeline."""
