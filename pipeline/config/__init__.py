"""The configuration: the schema, and the values of params.yaml."""
