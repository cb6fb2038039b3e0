"""deploy/prometheus, deploy/grafana and docs/runbook.md speak of metrics that there are, and of each other."""

import json
import re
import shutil
import subprocess

import pytest
import yaml
from prometheus_client import generate_latest

from bookstore.server.metrics import load_metrics_of_apps, registry
from tests.documents.test_pages import chapters
from tests.support.server import ROOT

ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "bookstore.json"
PROMTOOL = shutil.which("promtool") or ""
needs_promtool = pytest.mark.skipif(not PROMTOOL, reason="promtool is not on PATH (Debian package prometheus)")
NAME = re.compile(r"\bbookstore_[a-z_]+")


def rules() -> list[dict]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def told() -> set[str]:
    """The names of all series that /metrics may have."""
    load_metrics_of_apps()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)", generate_latest(registry).decode(), re.MULTILINE))
    histograms = {
        f"{name}_{part}" for name, kind in kinds.items() if kind == "histogram" for part in ("bucket", "count")
    }
    return {*kinds, *histograms}


def expressions_of_dashboard() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def test_alerts_ask_for_metrics_that_there_are():
    named = {name for rule in rules() for name in NAME.findall(rule["expr"])}

    assert len(named) > 8
    assert named - told() == set()


def test_the_dashboard_shows_every_metric_and_no_other():
    shown = {re.sub("_bucket$", "", name) for text in expressions_of_dashboard() for name in NAME.findall(text)}
    ours = {name for name in told() if not name.endswith(("_created", "_bucket", "_count"))}

    assert shown == ours


def test_the_dashboard_is_one_that_grafana_reads():
    dashboard = json.loads(DASHBOARD.read_text())

    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {"${source}"}
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert {variable["name"] for variable in dashboard["templating"]["list"]} == {"source", "instance"}


def test_each_alert_has_a_chapter_and_each_chapter_an_alert():
    runbook = ROOT / "docs" / "runbook.md"
    names = [rule["alert"] for rule in rules()]

    assert [rule["annotations"]["runbook"] for rule in rules()] == [f"docs/runbook.md#{name.lower()}" for name in names]
    assert re.findall(r"^## (.*)$", runbook.read_text(), re.MULTILINE) == names
    assert {name.lower() for name in names} <= set(chapters(runbook))


@needs_promtool
@pytest.mark.parametrize("command", [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]])
def test_promtool_takes_the_rules_and_their_tests(command):
    done = subprocess.run([PROMTOOL, *command], cwd=ALERTS.parent, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr + done.stdout


@needs_promtool
def test_promtool_takes_the_queries_of_the_dashboard(tmp_path):
    queries = [text.replace("$instance", ".*") for text in expressions_of_dashboard()]
    groups = [{"name": "dashboard", "rules": [{"record": f"q{n}", "expr": text} for n, text in enumerate(queries)]}]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": groups}))

    done = subprocess.run([PROMTOOL, "check", "rules", str(file)], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr + done.stdout
