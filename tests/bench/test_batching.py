import asyncio

from bench.peers.jobs import TENSOR
from bench.peers.servers.inline_service import predict
from pipeline.base.paths import Outputs
from serving.queue.engine import Engine
from serving.reload.lifecycle import checked


def test_without_the_queue_the_answer_is_the_same_and_is_observed():
    engine, observed = Engine(), []
    engine.predictor = checked(Outputs().model)
    engine.observers.append(lambda images, answer: observed.append(answer))

    async def both():
        return await engine.predict(TENSOR), await predict(engine, TENSOR)

    queued, inline = asyncio.run(both())
    assert observed == [queued, inline]
    assert (inline.verdicts, inline.card, inline.n_batch) == (queued.verdicts, queued.card, queued.n_batch)
    assert (inline.prediction.probabilities == queued.prediction.probabilities).all()
