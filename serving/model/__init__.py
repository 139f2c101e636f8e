"""The model file: its card, the session that runs it, and the state of an answer."""
