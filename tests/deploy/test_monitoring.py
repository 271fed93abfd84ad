"""Rules and the dashboard: they are PromQL, and ask for nothing but what the servers tell."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from retriton_client import Client, TextTooLong
from retriton_serving.contract import errors
from retriton_serving.contract.models import LANES
from retriton_serving.launcher import Endpoint, TritonServer
from tests.conftest import ROOT
from tests.deploy import promql
from tests.deploy.rendering import KUBERNETES, find, render
from tests.system.test_command_line import COMMAND

MONITORING = "monitoring"
DASHBOARD: dict[str, Any] = json.loads((KUBERNETES / MONITORING / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
_PATIENCE_S = 30.0


def rules() -> dict[str, str]:
    """Expressions by the name of the alert or the recorded series."""
    groups = [g for manifest in find(render(MONITORING), "PrometheusRule") for g in manifest["spec"]["groups"]]
    return {rule.get("alert") or rule["record"]: rule["expr"] for group in groups for rule in group["rules"]}


def expressions() -> dict[str, str]:
    """Those of the rules and of the dashboard, whose variables are filled in."""
    panels = {
        f"{panel['title']} {target['refId']}": target["expr"].replace("$__rate_interval", "1m")
        for panel in PANELS
        for target in panel["targets"]
    }
    return rules() | panels


EXPRESSIONS = expressions()
RECORDED = {name for name in EXPRESSIONS if ":" in name}


def outcomes() -> set[str]:
    """The codes of all refusals, as they stand in the code."""
    text = Path(errors.__file__).read_text(encoding="utf-8")
    return set(re.findall(r'^    code = "(\w+)"', text, re.MULTILINE))


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return str(answer.read().decode())


def check(page: str, pattern: str) -> int:
    """Compares every metric of that name that is asked for with what a page has; returns how many."""
    there = promql.offered(page)
    checked = 0
    for name, expression in EXPRESSIONS.items():
        mine = [series for series in promql.asked(expression) if re.match(pattern, series.metric)]
        for series in mine:
            assert series.metric in there, f"{name}: there is no {series.metric}"
            labels = there[series.metric]
            if labels:
                assert set(series.wanted) <= set(labels) | promql.TARGET_LABELS, f"{name}: {series}"
            checked += 1
        if mine and all(there[series.metric] for series in mine):
            known = {label for series in mine for label in there[series.metric]} | promql.TARGET_LABELS
            assert promql.grouped_by(expression) <= known, name
    return checked


@pytest.fixture(scope="module")
def server_page(server: TritonServer, client: Client) -> str:
    """Triton's metrics, after each lane has answered and refused something."""
    client.embed_queries(["how are batches formed?"])
    client.embed_passages(["By tokens."])
    with pytest.raises(TextTooLong):
        client.embed_passages(["word " * 1000])
    url = f"http://{server.endpoint.host}:{server.endpoint.metrics_port}/metrics"
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        page = get(url)
        told = promql.offered(page).get("retriton_requests_total", {})
        if {"embed_query", "embed_passage"} <= told.get("lane", set()) and "TEXT_TOO_LONG" in told["outcome"]:
            return page
        time.sleep(0.2)
    raise AssertionError(f"the lanes tell nothing: {page}")


@pytest.fixture(scope="module")
def gateway_page(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The gateway's metrics, after it has answered and refused something."""
    folder = tmp_path_factory.mktemp("gateway")
    keys = folder / "keys"
    keys.write_text(f"test:{hashlib.sha256(b'secret').hexdigest()}\n")
    port = Endpoint.free().http_port
    options = ["--url", url, "--milvus", str(folder / "milvus.db"), "--port", str(port), "--api-keys", str(keys)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*COMMAND, "gateway", *options], stdout=log, stderr=log, cwd=folder)
    try:
        base = f"http://127.0.0.1:{port}/v1"
        _wait(f"{base}/health/live", process, folder / "log")
        body = json.dumps({"model": "query", "input": ["how are batches formed?"]}).encode()
        for authorization in ("Bearer secret", "Bearer wrong"):
            headers = {"Authorization": authorization, "Content-Type": "application/json"}
            request = urllib.request.Request(f"{base}/embeddings", body, headers)
            try:
                urllib.request.urlopen(request, timeout=20).close()
            except urllib.error.HTTPError as error:
                assert error.code == 401, error.read()
                error.close()
        yield get(f"{base}/metrics")
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            get(url)
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"the gateway did not start:\n{log.read_text()}")


@pytest.mark.triton
def test_the_server_tells_what_is_asked_of_it(server_page: str) -> None:
    assert check(server_page, "retriton_(?!gateway_)|nv_") > 20


@pytest.mark.triton
@pytest.mark.milvus
def test_the_gateway_tells_what_is_asked_of_it(gateway_page: str) -> None:
    assert check(gateway_page, "retriton_gateway_") > 10


def test_every_series_belongs_to_somebody() -> None:
    for name, expression in EXPRESSIONS.items():
        series = promql.asked(expression)
        assert series, name
        for one in series:
            assert one.metric in RECORDED or one.metric.startswith(("retriton_", "nv_")), f"{name}: {one.metric}"


def test_lanes_models_and_outcomes_are_those_of_the_code() -> None:
    models = {folder.name for folder in (ROOT / "model_repository").iterdir() if folder.is_dir()}
    known = {"lane": set(LANES), "model": models, "outcome": outcomes()}
    assert "OVERLOADED" in known["outcome"]
    for name, expression in EXPRESSIONS.items():
        for series in promql.asked(expression):
            for label, values in known.items():
                assert set(series.wanted.get(label, "").split("|")) <= values | {""}, name


def test_a_metric_that_does_not_exist_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    page = '# TYPE retriton_known counter\nretriton_known{lane="embed_query"} 1\n'
    for expression in ("rate(retriton_unknown[5m])", 'retriton_known{lain="x"}', "sum by (lain) (retriton_known)"):
        monkeypatch.setitem(EXPRESSIONS, "wrong", expression)
        with pytest.raises(AssertionError, match="wrong"):
            check(page, "retriton_(un)?known")
    monkeypatch.setitem(EXPRESSIONS, "wrong", 'sum by (lane, pod) (retriton_known{lane="x", namespace="y"})')
    assert check(page, "retriton_known") == 1


def test_what_is_scraped_is_served() -> None:
    monitors = {monitor["metadata"]["name"]: monitor["spec"] for monitor in find(render(MONITORING), "ServiceMonitor")}
    services = find(render("base"), "Service")
    for name, spec in monitors.items():
        labels = spec["selector"]["matchLabels"]
        (service,) = [s for s in services if labels.items() <= s["metadata"]["labels"].items()]  # once, not twice
        ports = {port["name"] for port in service["spec"]["ports"]}
        assert {endpoint["port"] for endpoint in spec["endpoints"]} <= ports, name


def test_alerts_say_what_and_how_bad() -> None:
    groups = [g for manifest in find(render(MONITORING), "PrometheusRule") for g in manifest["spec"]["groups"]]
    alerts = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    assert len(alerts) >= 8
    for alert in alerts:
        assert alert["labels"]["severity"] in ("critical", "warning")
        assert set(alert["annotations"]) == {"summary", "description"}


def test_the_dashboard_is_one() -> None:
    identities = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(identities) == len(set(identities))
    cells = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        covered = {
            (column, row)
            for column in range(place["x"], place["x"] + place["w"])
            for row in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & covered, panel["title"]
        cells |= covered
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    text = json.dumps(DASHBOARD["panels"])
    used = set(re.findall(r"\$\{?(\w+)", text)) - {"__rate_interval"}
    assert used == variables


def test_the_dashboard_reaches_grafana() -> None:
    (config,) = find(render(MONITORING), "ConfigMap")
    assert config["metadata"]["labels"] == {"grafana_dashboard": "1"}
    assert json.loads(config["data"]["retriton.json"]) == DASHBOARD
