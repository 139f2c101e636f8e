"""Measurements. Never asserted: machines differ, and this is where their speed is looked at."""
