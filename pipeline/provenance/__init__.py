"""The lineage of a model, from git, dvc.lock and MLflow."""
