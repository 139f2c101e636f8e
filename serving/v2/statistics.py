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
NOTHING = {"compute_input": Duration(0, 0), "compute_output": Duration(0, 0)}  # not measured by batch size


def statistics_of(card: ModelCard, metrics: Metrics) -> ModelStatistics:
    """Return the statistics since the service started, under the name and version of the model in use."""
    stages, runs = metrics.read(metrics.stages), metrics.read(metrics.runs)
    timed = [run for run in zip(BATCHES, runs, metrics.read(metrics.run_seconds), strict=True) if run[1]]
    return ModelStatistics(
        card.name,
        card.version,
        last_inference=round(1000 * metrics.read(metrics.last_run)[0]),
        inference_count=round(metrics.read(metrics.images)[0]),
        execution_count=round(sum(runs)),
        inference_stats={
            step: _duration(*metrics.stages.count_and_sum(stages, stage)) for step, stage in STEPS.items()
        },
        batch_stats=[
            {"batch_size": int(size), **NOTHING, "compute_infer": _duration(*run)}
            for size, *run in timed
            if size.isdigit()
        ],
    )


def _duration(count: float, seconds: float) -> Duration:
    return Duration(round(count), round(1e9 * seconds))
