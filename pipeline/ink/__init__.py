"""Ink: strokes of digits, warped and generated, and the normaliser of pictures."""
