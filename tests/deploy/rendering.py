"""Manifests as a cluster would get them: rendered by `kubectl kustomize`."""

from __future__ import annotations

import functools
import shutil
import subprocess
from typing import Any

import yaml

from tests.conftest import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
KUSTOMIZATIONS = sorted(
    file.parent.relative_to(KUBERNETES).as_posix() for file in KUBERNETES.rglob("kustomization.yaml")
)
OVERLAYS = [name for name in KUSTOMIZATIONS if name.startswith("overlays/")]
Manifest = dict[str, Any]


@functools.cache
def _render(name: str) -> str:
    assert shutil.which("kubectl"), "rendering needs kubectl 1.14 or later: apt-get install kubernetes-client"
    done = subprocess.run(["kubectl", "kustomize", KUBERNETES / name], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def render(name: str) -> list[Manifest]:
    """All manifests of one kustomization, a folder below `KUBERNETES`."""
    return [manifest for manifest in yaml.safe_load_all(_render(name)) if manifest]


def find(manifests: list[Manifest], kind: str, name: str = "") -> list[Manifest]:
    """Those of a kind, and of a name if one is given."""
    return [m for m in manifests if m["kind"] == kind and name in ("", m["metadata"]["name"])]


def one(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    """The only one of that kind and name."""
    (found,) = find(manifests, kind, name)
    return found


def pod_templates(manifests: list[Manifest]) -> dict[str, Manifest]:
    """The pod templates of everything that makes pods, by kind and name."""
    found = {}
    for manifest in manifests:
        spec = manifest.get("spec", {})
        if manifest["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        name = f"{manifest['kind']}/{manifest['metadata']['name']}"
        if manifest["kind"] in ("CronJob", "Deployment", "Job"):
            found[name] = spec["template"]
        elif manifest["kind"] == "RayJob":
            cluster = spec["rayClusterSpec"]
            found[f"{name}/head"] = cluster["headGroupSpec"]["template"]
            for group in cluster["workerGroupSpecs"]:
                found[f"{name}/{group['groupName']}"] = group["template"]
    return found


def containers(template: Manifest) -> list[Manifest]:
    """All containers of a pod template, the first ones included."""
    return [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]
