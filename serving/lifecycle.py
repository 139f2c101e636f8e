"""The model's comings and goings while the service runs."""

from pathlib import Path

from serving.card import ModelCard
from serving.engine import Engine
from serving.predictor import Predictor


class Lifecycle:
    """Loads and unloads the engine's model."""

    def __init__(self, engine: Engine, path: Path) -> None:
        """`path` is read anew at each load."""
        self._engine = engine
        self._path = path

    async def load(self) -> ModelCard:
        """Reads the model file, warms the model and puts it in place of the one in use.

        Raises:
            ModelError: the file is not a usable model; the one in use stays.
        """
        predictor = await self._engine.in_thread(_ready, self._path)
        self._engine.predictor = predictor
        return predictor.card

    async def unload(self) -> None:
        """Takes the model away; what is under way is still answered."""
        self._engine.predictor = None


def _ready(path: Path) -> Predictor:
    predictor = Predictor.load(path)
    predictor.warm()
    return predictor
