"""What must hold between manifests, images and code; schemas know nothing of it."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import yaml

from retriton_client.health import main as health_probe
from tests.conftest import ROOT
from tests.deploy import commands
from tests.deploy.rendering import (
    KUBERNETES,
    KUSTOMIZATIONS,
    OVERLAYS,
    Manifest,
    containers,
    find,
    one,
    pod_templates,
    render,
)

CPU, GPU, DEV = "overlays/cpu", "overlays/gpu", "overlays/dev"
PRODUCTION = [name for name in OVERLAYS if name != DEV]
DOCKERFILES = {file.name.split(".")[0] for file in (ROOT / "deploy" / "containers").glob("*.Dockerfile")}
every = pytest.mark.parametrize("name", KUSTOMIZATIONS)
production = pytest.mark.parametrize("name", PRODUCTION)


def own_templates(name: str) -> list[Manifest]:
    """The pod templates that run our images."""
    templates = pod_templates(render(name)).values()
    return [t for t in templates if t["metadata"]["labels"].get("app.kubernetes.io/part-of") == "retriton"]


def server(name: str) -> Manifest:
    spec: Manifest = one(render(name), "Deployment", "retriton-server")["spec"]["template"]["spec"]
    return spec


def volume(spec: Manifest, name: str) -> Any:
    (found,) = [item for item in spec["volumes"] if item["name"] == name]
    return found


def gibibytes(quantity: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(Mi|Gi)", quantity).groups()  # type: ignore[union-attr]
    return float(number) / (1024 if unit == "Mi" else 1)


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


@every
def test_pods_are_not_root_and_write_to_volumes_alone(name: str) -> None:
    for template in own_templates(name):
        pod = template["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["runAsUser"] == 1000
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in containers(template):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert "/tmp" in [mount["mountPath"] for mount in container["volumeMounts"]]
        for item in pod["volumes"]:
            assert item.get("emptyDir", {"sizeLimit": ""}).get("sizeLimit") is not None, item


@every
def test_containers_say_what_they_need(name: str) -> None:
    for template in own_templates(name):
        for container in containers(template):
            resources = container["resources"]
            assert {"cpu", "memory"} <= set(resources["requests"])
            assert "memory" in resources["limits"]


@every
def test_images_are_pinned_and_ours_have_a_dockerfile(name: str) -> None:
    for template in pod_templates(render(name)).values():
        for container in containers(template):
            image, _, tag = container["image"].partition(":")
            assert re.search(r"\d+\.\d+\.\d+", tag), container["image"]
            if image.startswith("retriton-"):
                assert image.removeprefix("retriton-") in DOCKERFILES


@every
def test_commands_are_ours(name: str) -> None:
    images = {"retriton-server:0.1.0", "retriton-gateway:0.1.0"}
    for template in own_templates(name):
        for container in containers(template):
            if container["image"] in images:
                assert commands.problem(container["args"]) == ""


def test_commands_of_other_operators_are_ours() -> None:
    (job,) = find(render("ingest-ray"), "RayJob")
    program, *arguments = shlex.split(job["spec"]["entrypoint"])
    assert (program, commands.problem(arguments)) == ("retriton", "")
    (runtime,) = find(render("kserve"), "ClusterServingRuntime")
    (container,) = runtime["spec"]["containers"]
    assert commands.problem(container["args"]) == ""
    server = one(render(CPU), "Deployment", "retriton-server")["spec"]["template"]["spec"]["containers"][0]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe] == server[probe]
    (service,) = find(render("kserve"), "InferenceService")
    assert service["spec"]["predictor"]["model"]["runtime"] == runtime["metadata"]["name"]


@every
def test_settings_are_read_by_some_command(name: str) -> None:
    known = commands.environment_variables()
    for settings in find(render(name), "ConfigMap"):
        if settings["metadata"]["name"].startswith("retriton-settings"):
            assert set(settings["data"]) <= known
    for template in own_templates(name):
        for container in containers(template):
            ours = {item["name"] for item in container.get("env", []) if item["name"].startswith("RETRITON_")}
            assert ours <= known


@pytest.mark.parametrize("name", OVERLAYS)
def test_pods_drain_before_they_are_killed(name: str) -> None:
    for deployment in ("retriton-server", "retriton-gateway"):
        pod = one(render(name), "Deployment", deployment)["spec"]["template"]["spec"]
        before = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
        grace = 30  # the default of `retriton serve --grace` and `retriton gateway --grace`
        assert pod["terminationGracePeriodSeconds"] >= before + grace + 5


@pytest.mark.parametrize("name", OVERLAYS)
def test_probes_of_the_server_embed(name: str) -> None:
    container = server(name)["containers"][0]
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = container[kind]
        command, url, option, seconds = probe["exec"]["command"]
        assert command == "/opt/retriton/bin/retriton-health"
        assert (url, option) == ("127.0.0.1:8001", "--timeout")
        assert float(seconds) < probe["timeoutSeconds"]
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] > 120  # `TritonServer.wait_ready`
    assert callable(health_probe)


def test_probes_of_the_gateway_are_routes_of_it() -> None:
    container = one(render(CPU), "Deployment", "retriton-gateway")["spec"]["template"]["spec"]["containers"][0]
    assert container["readinessProbe"]["httpGet"]["path"] == "/v1/health/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/v1/health/live"
    assert container["startupProbe"]["httpGet"]["path"] == "/v1/health/live"


@production
def test_servers_have_cores_of_their_own(name: str) -> None:
    """Kubelet's static policy pins pods whose containers all have equal requests and limits, and whole cores."""
    spec = server(name)
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        requests, limits = (
            {key: container["resources"][part][key] for key in ("cpu", "memory")} for part in ("requests", "limits")
        )
        assert requests == limits
        assert requests["cpu"].isdecimal()


@pytest.mark.parametrize("name", OVERLAYS)
def test_shared_memory_is_larger_than_a_container_gets_and_within_the_limit(name: str) -> None:
    spec = server(name)
    memory = volume(spec, "shared-memory")["emptyDir"]
    assert memory["medium"] == "Memory"
    assert (
        0.064 < gibibytes(memory["sizeLimit"]) <= gibibytes(spec["containers"][0]["resources"]["limits"]["memory"]) / 4
    )
    assert {"name": "shared-memory", "mountPath": "/dev/shm"} in spec["containers"][0]["volumeMounts"]


def test_selectors_find_their_pods() -> None:
    for name in OVERLAYS:
        manifests = render(name)
        labels = [template["metadata"]["labels"] for template in pod_templates(manifests).values()]
        for kind in ("Service", "PodDisruptionBudget", "NetworkPolicy"):
            for manifest in find(manifests, kind):
                spec = manifest["spec"]
                selector = spec["podSelector"] if kind == "NetworkPolicy" else spec["selector"]
                selector = selector if kind == "Service" else selector.get("matchLabels", {})
                assert any(selects(selector, pod) for pod in labels), manifest["metadata"]["name"]


def test_ports_of_services_are_ports_of_pods() -> None:
    manifests = render(CPU)
    templates = pod_templates(manifests).values()
    for service in find(manifests, "Service"):
        spec = service["spec"]
        (pod,) = [t["spec"] for t in templates if selects(spec["selector"], t["metadata"]["labels"])]
        names = {port["name"] for container in pod["containers"] for port in container["ports"]}
        assert {port["targetPort"] for port in spec["ports"]} <= names


def test_whoever_calls_the_server_is_let_through() -> None:
    manifests = [*render(CPU), *render("load-test")]
    (rule, _) = one(manifests, "NetworkPolicy", "retriton-server")["spec"]["ingress"]
    callers = rule["from"][0]["podSelector"]["matchLabels"]
    for name in ("Deployment/retriton-gateway", "CronJob/retriton-ingest", "Job/retriton-load-test"):
        labels = pod_templates(manifests)[name]["metadata"]["labels"]
        assert selects(callers, labels), name
        egress = [
            rule
            for policy in find(manifests, "NetworkPolicy")
            if selects(policy["spec"]["podSelector"]["matchLabels"], labels)
            for rule in policy["spec"].get("egress", [])
        ]
        assert any({"protocol": "TCP", "port": 8001} in rule["ports"] for rule in egress), name


def test_clients_balance_over_all_pods() -> None:
    """`dns:///` with a headless Service: a plain name, or a Service with an address, pins a connection to one pod."""
    manifests = render(CPU)
    (settings,) = [m for m in find(manifests, "ConfigMap") if m["metadata"]["name"].startswith("retriton-settings")]
    host, port = re.fullmatch(r"dns:///([\w.-]+):(\d+)", settings["data"]["RETRITON_URL"]).groups()  # type: ignore[union-attr]
    service = one(manifests, "Service", host)
    assert service["spec"]["clusterIP"] == "None"
    assert int(port) in [item["port"] for item in service["spec"]["ports"]]
    ages = [
        argument for argument in server(CPU)["containers"][0]["args"] if argument.startswith("--max-connection-age=")
    ]
    assert ages, "without an age, clients never see a new pod"
    (job,) = find(render("load-test"), "Job")
    command = job["spec"]["template"]["spec"]["containers"][0]["args"][0]
    assert f"--balanced {settings['data']['RETRITON_URL']}" in command
    assert one(manifests, "Service", re.search(r"bench.cluster (\S+):", command)[1])  # type: ignore[index]


def test_a_gateway_keeps_its_callers() -> None:
    """Slow answers and uploads are in the memory of one pod."""
    assert one(render(CPU), "Service", "retriton-gateway")["spec"]["sessionAffinity"] == "ClientIP"


def test_the_engine_is_built_on_the_gpu_that_serves_it() -> None:
    spec = server(GPU)
    (build,), (serve,) = spec["initContainers"], spec["containers"]
    for container in (build, serve):
        assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    target = next(arg for arg in build["args"] if arg.startswith("--target=")).removeprefix("--target=")
    assert f"--model-repository={target}" in serve["args"]
    assert "--variant=tensorrt" in serve["args"]
    assert (ROOT / "model_repository/encoder/configs/tensorrt.pbtxt").exists()
    for container in (build, serve):
        assert target in [mount["mountPath"] for mount in container["volumeMounts"]]


def test_autoscalers_ask_for_metrics_that_are_offered() -> None:
    adapter = yaml.safe_load((KUBERNETES / "autoscaling/prometheus-adapter-values.yaml").read_text())
    offered = {rule["name"]["as"]: rule["seriesQuery"] for rule in adapter["rules"]["custom"]}
    recorded = {rule["record"] for rule in rules(CPU) if "record" in rule}
    for scaler in find(render(CPU), "HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        assert "replicas" not in one(render(CPU), target["kind"], target["name"])["spec"]
        for metric in scaler["spec"]["metrics"]:
            if metric["type"] == "Pods":
                series = offered[metric["pods"]["metric"]["name"]]
                assert series.partition("{")[0] in recorded
                lane = metric["pods"]["metric"]["selector"]["matchLabels"]["lane"]
                assert (ROOT / "model_repository" / lane / "config.pbtxt").exists()


def rules(name: str) -> list[Manifest]:
    """All rules for Prometheus of a kustomization."""
    return [
        rule
        for manifest in find(render(name), "PrometheusRule")
        for group in manifest["spec"]["groups"]
        for rule in group["rules"]
    ]


def test_milvus_searches_on_gpus_within_their_memory() -> None:
    manifests = render("overlays/milvus-gpu")
    milvus = one(manifests, "Milvus", "retriton")
    assert milvus["spec"]["components"]["image"].endswith("-gpu")
    for node in ("queryNode", "dataNode"):
        component = milvus["spec"]["components"][node]
        assert component["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert milvus["spec"]["config"]["gpu"] == {"initMemSize": 2048, "maxMemSize": 4096}
    (settings,) = [m for m in find(manifests, "ConfigMap") if m["metadata"]["name"].startswith("retriton-settings")]
    assert settings["data"]["RETRITON_INDEX"] == "gpu_cagra"
    service = f"{milvus['metadata']['name']}-milvus.{milvus['metadata']['namespace']}"
    assert settings["data"]["RETRITON_MILVUS_URI"] == f"http://{service}:19530"


def test_the_documentation_names_what_is_there() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    for path in re.findall(r"deploy/[\w./-]+", text):
        assert (ROOT / path.rstrip(".")).exists(), path
    for name in OVERLAYS:
        assert f"`{name.removeprefix('overlays/')}`" in text, name
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    for rule in rules(CPU):
        for section in re.findall(
            r"docs/operations\.md, ([^.]+)\.", rule.get("annotations", {}).get("description", "")
        ):
            assert section in headings, section
