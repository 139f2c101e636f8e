"""Flask and Keras, like published digit apps: shrink the picture to 28 x 28, invert it, call `model.predict`."""

import os

import keras
import numpy as np
import tensorflow as tf
from flask import Flask, request
from PIL import Image

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
app = Flask(__name__)
network = keras.saving.load_model(os.environ["KERAS_NETWORK"])
network.predict(np.zeros((1, 28, 28, 1), np.float32), verbose=0)


@app.post("/tensor")
def tensor() -> dict:
    """JSON, ``{"image": [n, 28, 28]}``, light ink on dark as in MNIST."""
    return read(np.array(request.get_json()["image"], np.float32))


@app.post("/png")
def png() -> dict:
    """A PNG as a file in a form, dark ink on light."""
    picture = Image.open(request.files["file"].stream).convert("L").resize((28, 28))
    return read(255 - np.asarray(picture, np.float32)[None])


def read(images: np.ndarray) -> dict:
    """Return the answer for grey levels float32 ``[n, 28, 28]``."""
    logits = network.predict(images[..., None] / 255, verbose=0)
    probabilities = tf.nn.softmax(logits[:, :10]).numpy()
    return {"probabilities": probabilities.tolist(), "digit_score": tf.sigmoid(logits[:, 10]).numpy().tolist()}
