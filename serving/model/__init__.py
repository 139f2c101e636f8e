"""The model file: its card, and the session that runs it."""
