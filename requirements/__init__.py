"""The lock files, and what is made and checked from them."""
