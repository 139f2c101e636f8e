"""The V2 statistics agree with the metrics of all workers."""

import numpy as np

from serving.metrics import Metrics
from serving.model.predictor import Predictor
from serving.queue.engine import MAX_BATCH_IMAGES, Answer
from serving.v2.statistics import statistics_document


def count_run(metrics: Metrics, predictor: Predictor, n_images: int, infer_s: float) -> None:
    images = np.zeros((n_images, 5, 5), np.uint8)
    prediction = predictor.run(images)
    verdicts = predictor.verdicts(prediction)
    metrics.count_run(images, Answer(prediction, verdicts, predictor.card, 0, infer_s, n_images))


def test_runs_and_stages_of_all_workers(predictor: Predictor) -> None:
    metrics = Metrics(2)
    document = statistics_document(metrics)
    assert (document["last_inference"], document["inference_count"], document["batch_stats"]) == (0, 0, [])
    for worker in range(2):
        metrics.count_as(worker)
        count_run(metrics, predictor, 1, 0.25)
        count_run(metrics, predictor, 3, 0.5)
        metrics.last_run.set(1000.5 + worker)
        for number, stage in enumerate(("total", "refused", "queue", "decode", "infer", "encode")):
            metrics.stages.observe(0.5 * number, stage)
    count_run(metrics, predictor, MAX_BATCH_IMAGES + 1, 0.125)
    metrics.last_run.set(1001.5)
    document = statistics_document(metrics)
    assert document["last_inference"] == 1_001_500  # milliseconds
    assert document["inference_count"] == 2 * (1 + 3) + MAX_BATCH_IMAGES + 1
    assert document["execution_count"] == 5
    assert document["inference_stats"] == {
        name: {"count": 2, "ns": 1_000_000_000 * number}
        for number, name in enumerate(("success", "fail", "queue", "compute_input", "compute_infer", "compute_output"))
    }
    runs = [(batch["batch_size"], batch["compute_infer"]) for batch in document["batch_stats"]]
    assert runs == [(1, {"count": 2, "ns": 500_000_000}), (3, {"count": 2, "ns": 1_000_000_000})]
