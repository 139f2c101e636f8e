"""The page takes remembered drawings into account as the pipeline measures it."""

import json
from pathlib import Path

import numpy as np

from pipeline.evaluation.memory import nearest, recall
from serving.model.decisions import states
from tests.web.node import ROOT, node

N_CLASSES, N_FEATURES = 10, 32
RULE = {
    "similarity": 0.5, "unknown_similarity": 0.7, "weight": 20.0, "score_similarity": 0.6, "score_weight": 30.0,
}  # fmt: skip
THRESHOLDS = {"digit_score": 0.5, "confidence": 0.6}
SCRIPT = f"""
import {{ readFileSync, writeFileSync }} from "node:fs";
import {{ decide, nearest, recall }} from "{(ROOT / "web/js/memory/rule.js").as_uri()}";
const {{ rule, thresholds, cases }} = JSON.parse(readFileSync(process.argv[2]));
writeFileSync(process.argv[3], JSON.stringify(cases.map(({{ answer, features, remembered }}) => {{
  const similarity = nearest(features, remembered, {N_CLASSES});
  return {{ similarity, ...decide(recall(answer, similarity, rule), thresholds) }};
}})));
"""


def random_vectors(rng: np.random.Generator, n_vectors: int) -> np.ndarray:
    vectors = np.maximum(rng.normal(0.2, 1, (n_vectors, N_FEATURES)), 0).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_thousand_answers_are_equal(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cases, expected = [], []
    for n_remembered in rng.integers(0, 30, 1000):
        features, remembered = random_vectors(rng, 1), random_vectors(rng, n_remembered)
        labels = rng.integers(0, N_CLASSES, n_remembered)
        answer = {
            "probabilities": rng.dirichlet(np.full(N_CLASSES, 0.1), 1).round(6),
            "digit_score": rng.choice([0, 0.001, 0.3, 0.7, 0.999999, 1], 1),
        }
        similarity = nearest(features, remembered, labels, N_CLASSES)
        expected.append({"similarity": similarity, **recall(answer, similarity, RULE)})
        pairs = zip(remembered.tolist(), labels.tolist(), strict=True)
        cases.append(
            {
                "features": features[0].tolist(),
                "remembered": [{"vector": vector, "label": label} for vector, label in pairs],
                "answer": {name: values[0].tolist() for name, values in answer.items()},
            }
        )
    (tmp_path / "cases.json").write_text(
        json.dumps({"rule": RULE, "thresholds": THRESHOLDS, "cases": cases}), encoding="utf-8"
    )
    (tmp_path / "recall.mjs").write_text(SCRIPT, encoding="utf-8")
    done = node(tmp_path / "recall.mjs", tmp_path / "cases.json", tmp_path / "answers.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "answers.json").read_text(encoding="utf-8"))
    changed = 0
    for case, one, other in zip(cases, found, expected, strict=True):
        for name, values in other.items():
            assert np.allclose(one[name], values[0], rtol=0, atol=1e-12)
        if other["digit_score"][0]:
            assert one["state"] == states(other, THRESHOLDS)[0]
        changed += np.argmax(one["probabilities"]) != np.argmax(case["answer"]["probabilities"])
    assert changed > 50
