"""The statistics of the V2 protocol, from the metrics of all workers."""

from serving.metrics import BATCHES, Metrics
from serving.model.card import ModelCard
from serving.v2.messages import Duration, ModelStatistics

# The protocol's name of each step, and ours.
STEPS = {
    "success": "total",
    "fail": "refused",
    "queue": "queue",
    "compute_input": "decode",
    "compute_infer": "infer",
    "compute_output": "encode",
}


def statistics_of(card: ModelCard, metrics: Metrics) -> ModelStatistics:
    """Return the statistics since the service started, under the name and version of the model in use."""
    stages, runs, seconds = (metrics.read(metric) for metric in (metrics.stages, metrics.runs, metrics.run_seconds))
    nothing = Duration(0, 0)
    batches: list[dict[str, int | Duration]] = []
    for size in filter(str.isdigit, BATCHES):
        if count := metrics.runs.value(runs, size):
            run = _duration(count, metrics.run_seconds.value(seconds, size))
            steps = {"compute_input": nothing, "compute_infer": run, "compute_output": nothing}
            batches.append({"batch_size": int(size), **steps})
    return ModelStatistics(
        card.name,
        card.version,
        last_inference=round(1000 * metrics.read(metrics.last_run)[0]),
        inference_count=round(metrics.read(metrics.images)[0]),
        execution_count=round(sum(runs)),
        inference_stats={
            name: _duration(metrics.stages.count(stages, stage), metrics.stages.total(stages, stage))
            for name, stage in STEPS.items()
        },
        batch_stats=batches,
    )


def _duration(count: float, seconds: float) -> Duration:
    return Duration(round(count), round(1e9 * seconds))
