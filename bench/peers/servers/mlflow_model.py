"""MLflow: a pyfunc model for `mlflow models serve`. As a program, save the model in the given directory."""

import sys

import numpy as np
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, save_model


class Digits(PythonModel):
    """Takes ``{"inputs": [n, h, w]}``."""

    def load_context(self, context: object) -> None:
        """Load the model."""
        from network import Network

        self.network = Network()

    def predict(self, context: object, model_input: np.ndarray, params: dict | None = None) -> dict:
        """Run the model."""
        return self.network.read(model_input.astype(np.uint8))


if __name__ == "__main__":
    save_model(sys.argv[1], python_model=__file__, pip_requirements=[])
else:
    set_model(Digits())
