"""The Helm chart renders what kustomize renders, and its values change that and nothing else."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from helm_python import Chart, HelmError, lint

from tests.conftest import ROOT
from tests.deploy.rendering import Manifest, containers, find, one, pod_templates, render
from tests.deploy.test_schemas import validate

CHART = ROOT / "deploy" / "helm" / "retriton"


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", CHART.parent / "generate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = _generator()
PROFILES: tuple[str, ...] = GENERATE.PROFILES


@functools.cache
def _chart() -> Chart:
    return Chart.load(CHART)


def rendered(namespace: str = "retriton", **values: Any) -> list[Manifest]:
    """The manifests of a release."""
    files = _chart().render(values, name="retriton", namespace=namespace)
    texts = [text for name, text in files.items() if not name.endswith("NOTES.txt")]
    return [manifest for text in texts for manifest in yaml.safe_load_all(text) if manifest]


def by_name(manifests: list[Manifest]) -> dict[tuple[str, str, str], Manifest]:
    found = {(m["kind"], m["metadata"].get("namespace", ""), m["metadata"]["name"]): m for m in manifests}
    assert len(found) == len(manifests)
    return found


def container(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    first: Manifest = containers(pod_templates(manifests)[f"{kind}/{name}"])[-1]
    return first


def test_the_manifests_of_the_chart_are_those_of_kustomize() -> None:
    files: dict[Path, str] = GENERATE.files()
    assert set(files) == set((CHART / "manifests").rglob("*.yaml"))
    for file, text in files.items():
        assert yaml.safe_load(file.read_text()) == yaml.safe_load(text), f"run {GENERATE.__file__}"


@pytest.mark.parametrize("profile", PROFILES)
def test_without_values_a_release_equals_the_overlay(profile: str) -> None:
    found = by_name(rendered(profile=profile, createNamespace=True))
    assert found == by_name(render(f"overlays/{profile}"))


def test_options_add_their_kustomizations() -> None:
    values = {
        "ingest": {"indexed": {"enabled": True}, "ray": {"enabled": True}},
        "loadTest": {"enabled": True},
        "autoscaling": {"kind": "keda"},
    }
    found = by_name(rendered(**values))
    for option in GENERATE.OPTIONS:
        for key, manifest in by_name(GENERATE.option(option)).items():
            assert found[key] == manifest
    assert ("HorizontalPodAutoscaler", "retriton", "retriton-server") not in found
    assert ("HorizontalPodAutoscaler", "retriton", "retriton-gateway") in found


def test_every_value_has_an_effect_and_the_result_fits_the_schemas() -> None:
    pod = {
        "replicas": 3,
        "resources": {"requests": {"cpu": "8"}, "limits": {"cpu": "8", "memory": "9Gi"}},
        "env": [{"name": "RETRITON_CORES", "value": "4"}],
        "args": ["--grace=20"],
        "annotations": {"team": "search"},
        "labels": {"tier": "gold"},
        "nodeSelector": {"pool": "fast"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "high",
    }
    ingress = {
        "enabled": True,
        "className": "nginx",
        "host": "search.example",
        "tlsSecret": "tls",
        "annotations": {"a": "b"},
    }
    found = rendered(
        namespace="search",
        settings={"RETRITON_COLLECTION": "manuals", "RETRITON_LLM_URL": "http://llm:8000/v1"},
        image={"registry": "images.example/team", "tag": "9.9.9", "pullPolicy": "Always", "pullSecrets": ["pull"]},
        server=pod,
        gateway={**pod, "serviceType": "LoadBalancer", "serviceAnnotations": {"lb": "internal"}, "ingress": ingress},
        ingest={
            "claim": "papers",
            "cronJob": {"suspend": False, "schedule": "1 1 * * *"},
            "indexed": {"enabled": True, "shards": 3},
            "ray": {"enabled": True, "workers": 7},
        },
        monitoring={"enabled": False},
        autoscaling={"kind": "keda", "server": {"max": 5}, "gateway": {"min": 4}, "prometheus": "http://p:9090"},
        networkPolicies={"enabled": False},
        overrides={"CronJob/retriton-ingest": {"spec": {"timeZone": "Etc/UTC"}}},
    )
    for manifest in found:
        validate(manifest)
        assert manifest["metadata"]["namespace"] == "search"
    kinds = {manifest["kind"] for manifest in found}
    assert not kinds & {"NetworkPolicy", "ServiceMonitor", "PrometheusRule", "Namespace"}

    for name in ("retriton-server", "retriton-gateway"):
        deployment = one(found, "Deployment", name)
        template = deployment["spec"]["template"]
        main = container(found, "Deployment", name)
        assert deployment["spec"]["replicas"] == 3
        assert main["resources"] == pod["resources"]
        assert {"name": "RETRITON_CORES", "value": "4"} in main["env"]
        assert main["args"][-1] == "--grace=20"
        assert len(main["args"]) > 1
        assert main["image"] == f"images.example/team/{name}:9.9.9"
        assert main["imagePullPolicy"] == "Always"
        assert template["metadata"]["annotations"]["team"] == "search"
        assert template["metadata"]["labels"]["tier"] == "gold"
        assert template["metadata"]["labels"]["app.kubernetes.io/name"] == name
        for part in ("nodeSelector", "tolerations", "affinity", "priorityClassName"):
            assert template["spec"][part] == pod[part]
        assert template["spec"]["imagePullSecrets"] == [{"name": "pull"}]

    (settings,) = find(found, "ConfigMap")
    assert settings["data"]["RETRITON_COLLECTION"] == "manuals"
    assert "RETRITON_URL" in settings["data"]
    assert {"configMapRef": {"name": settings["metadata"]["name"]}} in container(found, "CronJob", "retriton-ingest")[
        "envFrom"
    ]
    assert settings["metadata"]["name"] not in str(render("overlays/cpu"))

    assert one(found, "Service", "retriton-gateway")["spec"]["type"] == "LoadBalancer"
    assert one(found, "Ingress", "retriton-gateway")["spec"]["tls"] == [
        {"hosts": ["search.example"], "secretName": "tls"}
    ]
    cron = one(found, "CronJob", "retriton-ingest")["spec"]
    assert (cron["suspend"], cron["schedule"], cron["timeZone"]) == (False, "1 1 * * *", "Etc/UTC")
    shards = one(found, "Job", "retriton-ingest-shards")["spec"]
    assert (shards["completions"], shards["parallelism"], shards["maxFailedIndexes"]) == (3, 3, 3)
    assert "--shard=$(JOB_COMPLETION_INDEX)/3" in container(found, "Job", "retriton-ingest-shards")["args"]
    (workers,) = one(found, "RayJob", "retriton-ingest")["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    assert workers["replicas"] == workers["minReplicas"] == workers["maxReplicas"] == 7
    assert workers["template"]["spec"]["containers"][0]["image"] == "images.example/team/retriton-gateway:9.9.9-ray"
    for template in pod_templates(found).values():
        for volume in template["spec"]["volumes"]:
            assert volume["name"] != "documents" or volume["persistentVolumeClaim"]["claimName"] == "papers"
    scaler = one(found, "ScaledObject", "retriton-server")["spec"]
    assert (scaler["minReplicaCount"], scaler["maxReplicaCount"]) == (2, 5)
    for trigger in scaler["triggers"]:
        assert trigger["metadata"]["serverAddress"] == "http://p:9090"
        assert 'namespace="search"' in trigger["metadata"]["query"]
    assert one(found, "HorizontalPodAutoscaler", "retriton-gateway")["spec"]["minReplicas"] == 4


@pytest.mark.parametrize(
    "values",
    [
        {"profile": "tpu"},
        {"server": {"replica": 3}},
        {"settings": {"retriton url": "x"}},
        {"autoscaling": {"kind": "vpa"}},
        {"ingest": {"indexed": {"shards": 0}}},
        {"overrides": {"retriton-server": {}}},
    ],
)
def test_wrong_values_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(HelmError):
        _chart().validate_schema(values)


def test_the_schema_knows_every_value_and_the_chart_is_sound() -> None:
    _chart().validate_schema(yaml.safe_load((CHART / "values.yaml").read_text()))
    found = lint(CHART, strict=True, kube_version="1.32.0")
    assert not found.get("failed"), found
