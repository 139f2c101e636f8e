"""Read a number of several digits from pen strokes. `web/js/number` repeats it for a page without the service."""
