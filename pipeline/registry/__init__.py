"""The MLflow model registry, and the gates that a model must pass to become champion."""
