"""The environment of the stages: instruction sets, threads, precision, command line."""
