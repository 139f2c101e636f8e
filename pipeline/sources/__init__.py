"""The sources of the raw data: MNIST, Pendigits and UNIPEN files."""
