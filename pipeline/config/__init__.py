"""The configuration: its schema, and the values of params.yaml."""
