"""The service without its queue: the model runs in each request's handler."""

import math
import sys
import time

from serving.__main__ import main
from serving.queue.engine import Answer, Engine, Images


async def predict(engine: Engine, images: Images, timeout_s: float = math.inf) -> Answer:
    """Replace `Engine.predict` for images that it would queue."""
    started_s = time.perf_counter()
    model = engine.model
    prediction = model.run(images)
    verdicts = model.verdicts(prediction)
    answer = Answer(prediction, verdicts, model.card, 0.0, time.perf_counter() - started_s, len(images))
    for observe in engine.observers:
        observe(images, answer)
    return answer


if __name__ == "__main__":
    Engine.predict = predict
    sys.exit(main(sys.argv[1:]))
