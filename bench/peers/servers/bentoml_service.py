"""BentoML: `bentoml serve`, one worker, its access log and metrics off."""

from typing import Annotated

import bentoml
import numpy as np
from bentoml.validators import DType
from network import IS_BATCHING, MAX_BATCH, Network
from PIL.Image import Image


@bentoml.service(workers=1, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class Digits:
    """The model runs inline, because a thread pool costs more than the model."""

    def __init__(self) -> None:
        self.network = Network()

    if IS_BATCHING:

        @bentoml.api(batchable=True, max_batch_size=MAX_BATCH)
        async def tensor(self, image: Annotated[np.ndarray, DType("uint8")], /) -> list[dict]:
            """Grey levels as JSON, ``[n, h, w]``, of several requests."""
            return self.network.read_batch(list(image[:, None]))

    else:

        @bentoml.api
        async def tensor(self, image: Annotated[np.ndarray, DType("uint8")], /) -> dict:
            """Grey levels as JSON, ``[n, h, w]``."""
            return self.network.read(image)

    @bentoml.api
    async def png(self, image: Image, /) -> dict:
        """A PNG as the body."""
        return self.network.read(np.asarray(image.convert("L"))[None])
