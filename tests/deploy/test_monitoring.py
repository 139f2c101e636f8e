import json
import re
import shutil
import subprocess

import pytest
import yaml
from starlette.testclient import TestClient

from serving.app import create_app
from serving.settings import Settings
from tests.project import ROOT
from tests.serving.models import with_metadata

RULES = ROOT / "deploy" / "prometheus" / "alerts.yaml"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text())
ALL_RULES = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
SELECTOR = re.compile(r"((?:inkling|process)[\w:]+)(?:\{(.*?)\})?")  # a metric and its labels
LABEL = re.compile(r'(\w+)(!?=~?)"(.*?)"')


@pytest.fixture(scope="module")
def exposed(tmp_path_factory):
    """What the service exposes with a model that has all references."""
    path = tmp_path_factory.mktemp("model") / "digits.onnx"
    path.write_bytes(with_metadata(metrics='{"estimated_accuracy": 0.99, "share_called_digit": 0.99}'))
    app = create_app(Settings(model=path, web=ROOT / "web", allowed_hosts=("testserver",)))
    return TestClient(app).get("/metrics").text


def promtool(*arguments, text=None):
    """Run promtool, if it is installed: Debian's package prometheus has it."""
    command = shutil.which("promtool") or pytest.skip("promtool is not installed")
    done = subprocess.run([command, *map(str, arguments)], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_and_dashboard_use_what_the_service_exposes(exposed):
    series = [
        (name, dict(re.findall(r'(\w+)="(.*?)"', labels or "")))
        for name, labels in re.findall(r"^(\w+)(?:{(.*)})? ", exposed, re.MULTILINE)
    ]
    series += [(rule["record"], {}) for rule in ALL_RULES if "record" in rule]
    selectors = [
        found
        for expression in [*EXPRESSIONS, *(rule["expr"] for rule in ALL_RULES)]
        for found in SELECTOR.findall(expression)
    ]
    assert len(selectors) > 30
    for name, labels in selectors:
        known = [values for each, values in series if each == name]
        assert known, name
        for label, _, value in LABEL.findall(labels):
            if label != "job":  # Prometheus adds it
                assert set(value.split("|")) <= {values[label] for values in known}, (name, label)


def test_the_dashboard_names_units_and_the_chosen_source():
    source = {"type": "prometheus", "uid": "${datasource}"}
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"]] == ["datasource", "job"]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for panel in DASHBOARD["panels"]:
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"] == source
    for expression in EXPRESSIONS:
        assert 'job=~"$job"' in expression
        assert set(re.findall(r"\[(.*?)\]", expression)) <= {"$__rate_interval"}


def test_promtool_accepts_the_rules_and_their_tests():
    promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)
    promtool("test", "rules", RULES.with_name("alerts_test.yaml"))


def test_promtool_accepts_the_expressions_of_the_dashboard(tmp_path):
    rules = [
        {"record": f"panel:{index}", "expr": expression.replace("$__rate_interval", "5m")}
        for index, expression in enumerate(EXPRESSIONS)
    ]
    path = tmp_path / "dashboard.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", path)


def test_promtool_accepts_the_metrics(exposed):
    promtool("check", "metrics", text=exposed)
