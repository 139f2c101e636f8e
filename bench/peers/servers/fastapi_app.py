"""FastAPI. The model runs inline, because a thread pool costs more than the model."""

import numpy as np
from fastapi import FastAPI, Request, UploadFile
from network import Network, grey
from pydantic import BaseModel

app = FastAPI()
network = Network()


class Pictures(BaseModel):
    """Grey levels, ``[n, h, w]``."""

    image: list[list[list[int]]]


class Reading(BaseModel):
    """Model outputs for n pictures."""

    probabilities: list[list[float]]
    digit_score: list[float]


@app.post("/tensor")
async def tensor(pictures: Pictures) -> Reading:
    """JSON, validated by pydantic in both directions."""
    return Reading(**network.read(np.array(pictures.image, np.uint8)))


@app.post("/raw")
async def raw(request: Request, width: int, height: int) -> Reading:
    """Raw grey levels as the body."""
    image = np.frombuffer(await request.body(), np.uint8).reshape(1, height, width)
    return Reading(**network.read(image))


@app.post("/upload")
async def upload(file: UploadFile) -> Reading:
    """A PNG as a file in a form."""
    return Reading(**network.read(grey(await file.read())))


@app.post("/png")
async def png(request: Request) -> Reading:
    """A PNG as the body."""
    return Reading(**network.read(grey(await request.body())))
