"""The real process under load: what it must keep, and what it must survive."""
