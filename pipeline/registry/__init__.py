"""The MLflow model registry, and the gates that a champion passes."""
