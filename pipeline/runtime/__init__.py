"""How the stages run: pinned instruction sets, threads, precision and the command line."""
