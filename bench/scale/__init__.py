"""Scaling of the service: open-loop load on one and two workers, and an estimate for many visitors."""
