"""The raw data: MNIST, Pendigits and UNIPEN files."""
