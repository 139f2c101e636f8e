"""The prepared data: its parts, its pictures and its splits."""
