"""The metrics, parsed by Prometheus' own parser and summed over workers."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import prometheus_client
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from serving.app import create_app
from serving.http.middleware import Middleware
from serving.metrics import REASONS, SCORE_BOUNDS, Metric, Metrics
from serving.model.predictor import Predictor
from serving.queue.engine import Answer

from .drawings import STROKES, draw, encode
from .models import with_metadata

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str) -> Samples:
    found = [
        ((sample.name, frozenset(sample.labels.items())), sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
    assert len(dict(found)) == len(found)
    return dict(found)


def text_of(metrics: Metrics, metric: Metric) -> str:
    return "\n".join([f"# TYPE {metric.name} {metric.kind}", *metric.lines(metrics.read(metric)), ""])


def value(found: Samples, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def in_fork(work: Callable[[], None]) -> None:
    pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def test_every_metric_has_type_and_help() -> None:
    families = {family.name: family for family in text_string_to_metric_families(Metrics().text())}
    metrics = [metric for metric in vars(Metrics()).values() if isinstance(metric, Metric)]
    kinds = {metric.name.removesuffix("_total"): metric.kind for metric in metrics}
    assert {name: family.type for name, family in families.items()} == kinds
    assert all(family.documentation for family in families.values())
    # A series that appears only with its first event hides that event from rate().
    assert all(family.samples for family in families.values())


def test_only_the_classes_of_the_model_and_counted_ones_are_shown() -> None:
    metrics = Metrics()
    metrics.digits.add("7")
    found = samples(metrics.text(n_classes=3))
    shown = {dict(labels)["digit"] for name, labels in found if name == "inkling_digits_total"}
    assert shown == {"0", "1", "2", "7"}


def test_forked_workers_count_in_rows_that_are_summed() -> None:
    metrics = Metrics(3)

    def work(worker: int) -> None:
        metrics.count_as(worker)
        metrics.refused.add("slow", amount=10**worker)
        metrics.waiting.add(amount=worker)
        metrics.last_run.set(100 - worker)
        metrics.confidence.observe(0.5)

    in_fork(lambda: work(1))
    in_fork(lambda: work(2))
    work(0)
    found = samples(metrics.text())
    assert value(found, "inkling_refused_total", reason="slow") == 111
    assert value(found, "inkling_refused_total", reason="timeout") == 0
    assert value(found, "inkling_waiting_requests") == 3
    assert value(found, "inkling_last_run_timestamp_seconds") == 100
    assert value(found, "inkling_confidence_count") == 3
    assert value(found, "inkling_confidence_sum") == 1.5


def test_a_worker_that_is_replaced_keeps_its_counts_but_not_its_gauges() -> None:
    metrics = Metrics(2)
    metrics.waiting.add(amount=5)
    for _ in range(2):
        metrics.count_as(1)
        metrics.reset_gauges()
        metrics.waiting.add(amount=2)
        metrics.images.add(amount=3)
        metrics.digit_score.observe(0.5)
    found = samples(metrics.text())
    assert value(found, "inkling_images_total") == 6
    assert value(found, "inkling_digit_score_count") == 2
    assert value(found, "inkling_waiting_requests") == 5 + 2


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(SCORE_BOUNDS) | st.floats(-1, 2, width=32), max_size=30))
def test_a_histogram_is_as_prometheus_client_has_it(values: list[float]) -> None:
    metrics = Metrics()
    ours = metrics.confidence
    registry = prometheus_client.CollectorRegistry()
    theirs = prometheus_client.Histogram(ours.name, ours.about, buckets=ours.bounds, registry=registry)
    for one in values:
        ours.observe(one)
        theirs.observe(one)

    def buckets(text: str) -> dict[float, float]:
        return {
            float(dict(labels)["le"]): count
            for (name, labels), count in samples(text).items()
            if name == f"{ours.name}_bucket"
        }

    text, expected = text_of(metrics, ours), prometheus_client.generate_latest(registry).decode()
    assert buckets(text) == buckets(expected)
    assert list(buckets(text).values()) == sorted(buckets(text).values())
    assert value(samples(text), f"{ours.name}_count") == len(values)
    assert value(samples(text), f"{ours.name}_sum") == pytest.approx(sum(values))


def test_a_run_is_counted(predictor: Predictor) -> None:
    image = np.asarray(draw(7))
    images = np.stack([image, image, np.zeros_like(image)])
    prediction = predictor.run(images)
    metrics = Metrics()
    metrics.count_run(images, Answer(prediction, predictor.verdicts(prediction), predictor.card, 0.5, 0.25))
    found = samples(metrics.text())
    assert value(found, "inkling_runs_total") == 1
    assert value(found, "inkling_images_total") == 3
    assert value(found, "inkling_answers_total", state="blank") == 1
    assert value(found, "inkling_digits_total", digit="0") == 0  # a blank image has no digit
    assert value(found, "inkling_answers_total", state="digit") == value(found, "inkling_digits_total", digit="7") == 2
    assert value(found, "inkling_confidence_count") == value(found, "inkling_digit_score_count") == 2


def test_requests_are_counted(app: Middleware, client: TestClient, predictor: Predictor) -> None:
    def read() -> Samples:
        response = client.get("/metrics")
        assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
        return samples(response.text)

    before = read()
    for digit in STROKES:
        assert client.post("/api/predict", content=encode(draw(digit), "PNG")).status_code == 200
    assert client.post("/api/predict", content=b"").status_code == 400
    assert client.get("/api/predict").status_code == 405
    assert client.get("/nothing").status_code == 404
    assert client.post("/v2/models/digits/infer", content=b"{").status_code == 400
    assert client.get("/", headers={"host": "elsewhere.example"}).status_code == 421
    after = read()

    def rise(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    requests = "inkling_requests_total"
    assert rise(requests, route="/api/predict", status="200") == len(STROKES)
    assert rise(requests, route="/api/predict", status="405") == rise(requests, route="/api/predict", status="400") == 1
    assert rise(requests, route="/v2/infer", status="400") == rise(requests, route="page", status="421") == 1
    assert rise(requests, route="/metrics", status="200") == 1
    reasons = {reason: rise("inkling_refused_total", reason=reason) for reason in REASONS}
    expected = {"bad_request": 2, "method": 1, "not_found": 1, "wrong_host": 1}
    assert {reason: n for reason, n in reasons.items() if n} == expected
    for stage in ("decode", "queue", "infer", "encode", "total"):
        assert rise("inkling_stage_seconds_count", stage=stage) == len(STROKES)
    assert rise("inkling_stage_seconds_count", stage="refused") == 3
    assert rise("inkling_images_total") == rise("inkling_runs_total") == len(STROKES)
    assert rise("inkling_digits_total", digit="7") == 1
    assert value(after, "inkling_waiting_requests") == 1  # the one that reads this
    assert value(after, "inkling_model_info", version=predictor.card.version, sha256=predictor.card.sha256) == 1
    assert value(after, "process_resident_memory_bytes") > 2**20


@pytest.mark.parametrize("number", ["NaN", "-1.0", "null"])
def test_only_the_shares_in_the_card_are_references(app: Middleware, tmp_path: Path, number: str) -> None:
    path = tmp_path / "digits.onnx"
    path.write_bytes(with_metadata(metrics=f'{{"estimated_accuracy": 0.99, "share_called_digit": {number}}}'))
    answer = TestClient(create_app(replace(app.settings, model=path))).get("/metrics")
    found = {name: number for (name, _), number in samples(answer.text).items() if "reference" in name}
    assert found == {"inkling_reference_estimated_accuracy": 0.99}
