"""The statistics of the V2 protocol, from the metrics of all workers."""

from serving.metrics import BATCHES, Metrics
from serving.model.card import ModelCard
from serving.v2.messages import BatchStatistics, Duration, ModelStatistics, StepStatistics

# The metrics' names of the protocol's steps, in the order of `StepStatistics`.
STEPS = ("total", "refused", "queue", "decode", "infer", "encode")


def statistics_of(card: ModelCard, metrics: Metrics) -> ModelStatistics:
    """Return the statistics since the service started, under the name and version of the model in use."""
    stages, runs, seconds = (metrics.read(metric) for metric in (metrics.stages, metrics.runs, metrics.run_seconds))
    steps = (_duration(metrics.stages.count(stages, step), metrics.stages.total(stages, step)) for step in STEPS)
    batches = [
        BatchStatistics(
            int(size),
            _duration(0, 0),
            _duration(metrics.runs.value(runs, size), metrics.run_seconds.value(seconds, size)),
            _duration(0, 0),
        )
        for size in BATCHES
        if size.isdigit() and metrics.runs.value(runs, size)
    ]
    return ModelStatistics(
        card.name,
        card.version,
        last_inference=round(1000 * metrics.read(metrics.last_run)[0]),
        inference_count=round(metrics.read(metrics.images)[0]),
        execution_count=round(sum(runs)),
        inference_stats=StepStatistics(*steps),
        batch_stats=batches,
    )


def _duration(count: float, seconds: float) -> Duration:
    return Duration(round(count), round(1e9 * seconds))
