"""Addresses of servers."""

import re


def without_credentials(text: str) -> str:
    """Return a text with the user and password removed from each URL in it: they must not reach logs or records."""
    return re.sub(r"(?<=://)[^/?#\s]+@", "", text)
