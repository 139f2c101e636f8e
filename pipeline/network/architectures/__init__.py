"""One module per network. `model.name` is the name of a module here; `build` makes its network.

A network is a `keras.Sequential` or a functional `keras.Model`, made of Keras's own layers and functions.
"""
