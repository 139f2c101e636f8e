"""The HTTP layer: connections, middleware, compression and responses."""
