"""MLflow runs, written to a journal first; sweeps and studies."""
