"""What the service has done since it started, as the V2 protocol's statistics tell it.

They stand under the name and version of the model in use, but go on through a change of the model: like every counter
of the metrics, they never fall.
"""

from typing import Any

from serving.metrics import BATCHES, Metrics

# The protocol's name of each stage, and ours.
STEPS = {
    "success": "total",
    "fail": "refused",
    "queue": "queue",
    "compute_input": "decode",
    "compute_infer": "infer",
    "compute_output": "encode",
}


def statistics_document(metrics: Metrics) -> dict[str, Any]:
    """The protocol's fields but for the model's name and version; of all workers, times in nanoseconds."""
    stages, runs, seconds = (metrics.read(metric) for metric in (metrics.stages, metrics.runs, metrics.run_seconds))
    batches = [
        {
            "batch_size": int(size),
            "compute_input": _duration(0, 0),
            "compute_infer": _duration(metrics.runs.value(runs, size), metrics.run_seconds.value(seconds, size)),
            "compute_output": _duration(0, 0),
        }
        for size in BATCHES
        if size.isdigit() and metrics.runs.value(runs, size)
    ]
    return {
        "last_inference": round(1000 * metrics.read(metrics.last_run)[0]),
        "inference_count": round(metrics.read(metrics.images)[0]),
        "execution_count": round(sum(runs)),
        "inference_stats": {
            step: _duration(metrics.stages.count(stages, stage), metrics.stages.total(stages, stage))
            for step, stage in STEPS.items()
        },
        "batch_stats": batches,
    }


def _duration(count: float, seconds: float) -> dict[str, int]:
    return {"count": round(count), "ns": round(1e9 * seconds)}
