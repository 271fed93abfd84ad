"""Every manifest against its schema.

Kubernetes' own from `kubernetes-validate`, strict: an unknown field is an error. The Prometheus Operator's from the
models that `cloudcoil` generates from its custom resource definitions. No package carries the Milvus Operator's: the
schema below has the fields of `apis/milvus.io/v1beta1` (components_types.go, dependencies_types.go) that we use, with
the types that they have there, and Kubernetes' schemas where they are Kubernetes' types.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
from cloudcoil.models.prometheus_operator import v1 as prometheus
from referencing import Registry, Resource

from tests.deploy.rendering import KUSTOMIZATIONS, Manifest, find, one, render

# The oldest that is served by its makers, and the newest that the package has.
VERSIONS = ("1.30", kubernetes_validate.latest_version())
_DEFINITIONS = "https://kubernetes.io/api/_definitions.json"


def _core(name: str) -> dict[str, str]:
    return {"$ref": f"{_DEFINITIONS}#/$defs/io.k8s.api.core.v1.{name}"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


_COUNT = {"type": "integer", "minimum": -1}
_COMPONENT = _object(
    replicas=_COUNT,
    resources=_core("ResourceRequirements"),
    nodeSelector={"type": "object", "additionalProperties": {"type": "string"}},
    tolerations={"type": "array", "items": _core("Toleration")},
)
_IN_CLUSTER = _object(
    inCluster=_object(
        deletionPolicy={"enum": ["Delete", "Retain"]}, pvcDeletion={"type": "boolean"}, values={"type": "object"}
    ),
    external={"type": "boolean"},
)
MILVUS = _object(
    apiVersion={"const": "milvus.io/v1beta1"},
    kind={"const": "Milvus"},
    metadata={"type": "object"},
    spec=_object(
        mode={"enum": ["cluster", "standalone"]},
        components=_object(
            image={"type": "string"},
            imageUpdateMode={"enum": ["rollingUpgrade", "rollingDowngrade", "all", "force"]},
            enableRollingUpdate={"type": "boolean"},
            proxy=_COMPONENT,
            mixCoord=_COMPONENT,
            streamingNode=_COMPONENT,
            queryNode=_COMPONENT,
            dataNode=_COMPONENT,
        ),
        config={"type": "object"},  # milvus.yaml, which the operator takes as it is
        dependencies=_object(
            msgStreamType={"enum": ["pulsar", "kafka", "woodpecker", "rocksmq", "natsmq", "custom", ""]},
            etcd=_IN_CLUSTER,
            storage=_IN_CLUSTER,
        ),
    ),
)


def validate_milvus(manifest: Manifest) -> None:
    """Raises `jsonschema.ValidationError`."""
    package = files("kubernetes_validate") / "kubernetes-json-schema" / "v1.32.0-local-strict" / "_definitions.json"
    definitions = Resource.from_contents(json.loads(package.read_text()))
    registry: Registry[Any] = Registry().with_resource(_DEFINITIONS, definitions)
    jsonschema.Draft202012Validator(MILVUS, registry=registry).validate(manifest)


def validate_prometheus(manifest: Manifest) -> None:
    """Raises `ValueError`. The models drop what they do not know, so what comes out must be what went in."""
    model = getattr(prometheus, manifest["kind"]).model_validate(manifest)
    kept = model.model_dump(by_alias=True, exclude_unset=True, mode="json")
    if kept != manifest:
        raise ValueError(f"not all fields of {manifest['metadata']['name']} are known: {kept}")


def validate(manifest: Manifest) -> None:
    """Against the schema of its kind."""
    group = manifest["apiVersion"].split("/")[0]
    if group == "milvus.io":
        validate_milvus(manifest)
    elif group == "monitoring.coreos.com":
        validate_prometheus(manifest)
    else:
        for version in VERSIONS:
            kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_every_manifest_fits_its_schema(name: str) -> None:
    manifests = render(name)
    assert manifests
    for manifest in manifests:
        validate(manifest)


def test_a_wrong_field_is_found() -> None:
    manifests = render("overlays/milvus-gpu")
    deployment = one(manifests, "Deployment", "retriton-server")
    deployment["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(deployment)
    (monitor, *_) = find(manifests, "ServiceMonitor")
    monitor["spec"]["endpoints"][0]["intervall"] = "15s"
    with pytest.raises(ValueError, match="not all fields"):
        validate(monitor)
    milvus = one(manifests, "Milvus", "retriton")
    milvus["spec"]["components"]["queryNode"]["tolerations"][0]["effekt"] = "NoSchedule"
    with pytest.raises(jsonschema.ValidationError):
        validate(milvus)


def test_nothing_is_there_twice() -> None:
    for name in KUSTOMIZATIONS:
        names = [(m["kind"], m["metadata"].get("namespace"), m["metadata"]["name"]) for m in render(name)]
        assert len(names) == len(set(names))
