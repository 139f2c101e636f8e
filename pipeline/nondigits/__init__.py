"""Generated pictures of everything that is not a digit."""
