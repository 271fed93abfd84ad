"""Writes the manifests of the Helm chart: those of deploy/kubernetes, as kustomize renders them.

The chart has no manifests of its own. Its templates select the files that are written here, and change them by values.

    python deploy/helm/generate.py
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
MANIFESTS = Path(__file__).parent / "retriton" / "manifests"
PROFILES = ("cpu", "gpu", "milvus-gpu", "object-storage", "encoder-image", "dev")
OPTIONS = ("autoscaling-keda", "ingest-indexed", "ingest-ray", "load-test")
_HEAD = "# Generated from deploy/kubernetes by deploy/helm/generate.py. Do not edit.\n"


class _Dumper(yaml.SafeDumper):
    """Writes everything in full: a template language does not read anchors across documents."""

    def ignore_aliases(self, _: Any) -> bool:
        return True


def rendered(name: str) -> list[dict[str, Any]]:
    """The manifests of a kustomization, a folder below `KUBERNETES`.

    Raises:
        subprocess.CalledProcessError: it cannot be rendered.
    """
    command = ["kubectl", "kustomize", str(KUBERNETES / name)]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    return [manifest for manifest in yaml.safe_load_all(output) if manifest]


def option(name: str) -> list[dict[str, Any]]:
    """The manifests of an option, without the settings, which the profile has."""
    return [manifest for manifest in rendered(name) if not manifest["metadata"]["name"].startswith("retriton-settings")]


def files() -> dict[Path, str]:
    """All files and their contents."""
    manifests = {f"profiles/{name}.yaml": rendered(f"overlays/{name}") for name in PROFILES}
    manifests |= {f"options/{name}.yaml": option(name) for name in OPTIONS}
    return {MANIFESTS / file: _HEAD + _yaml(found) for file, found in manifests.items()}


def _yaml(manifests: list[dict[str, Any]]) -> str:
    return yaml.dump(manifests, Dumper=_Dumper, sort_keys=False, width=120)


def main() -> None:
    """Writes the files."""
    for file, text in files().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
