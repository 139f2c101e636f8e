"""The lock files, and the environments and documents made from them."""
