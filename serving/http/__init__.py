"""The HTTP layer: connections, admission, middleware, compression and responses."""
