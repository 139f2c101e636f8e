"""Pen strokes to pixels. The pipeline draws its training pictures with this package."""
