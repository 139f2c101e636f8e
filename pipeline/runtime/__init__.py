"""The environment of the stages (instruction sets, threads, precision), and their command line."""
