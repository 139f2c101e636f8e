"""Metrics, statistics and plots of an evaluation."""
