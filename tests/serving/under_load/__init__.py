"""Tests of the real process under load."""
