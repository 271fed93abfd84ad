"""Every manifest against its schema.

Kubernetes' own from `kubernetes-validate`, strict: an unknown field is an error. Those of the Prometheus Operator and
of KEDA from the models that `cloudcoil` generates from their custom resource definitions. No small package carries
those of the Milvus Operator, KubeRay and KServe, which are in `custom_resources`.
"""

from __future__ import annotations

from typing import Any

import jsonschema
import kubernetes_validate
import pytest
from cloudcoil.models.keda import v1alpha1 as keda
from cloudcoil.models.prometheus_operator import v1 as prometheus

from tests.deploy.custom_resources import SCHEMAS, validate_custom
from tests.deploy.rendering import KUSTOMIZATIONS, Manifest, find, one, render

# The oldest that is served by its makers, and the newest that the package has.
VERSIONS = ("1.30", kubernetes_validate.latest_version())
_VOLUMES_OF_IMAGES = "1.31"
_MODELS = {"monitoring.coreos.com": prometheus, "keda.sh": keda}


def validate_model(models: Any, manifest: Manifest) -> None:
    """Raises `ValueError`. The models drop what they do not know, so what comes out must be what went in."""
    model = getattr(models, manifest["kind"]).model_validate(manifest)
    kept = model.model_dump(by_alias=True, exclude_unset=True, mode="json")
    if kept != manifest:
        raise ValueError(f"not all fields of {manifest['metadata']['name']} are known: {kept}")


def validate(manifest: Manifest) -> None:
    """Against the schema of its kind."""
    group = manifest["apiVersion"].split("/")[0]
    if manifest["kind"] in SCHEMAS:
        validate_custom(manifest)
    elif group in _MODELS:
        validate_model(_MODELS[group], manifest)
    else:
        oldest = _VOLUMES_OF_IMAGES if "'reference':" in str(manifest) else VERSIONS[0]
        for version in (oldest, VERSIONS[-1]):
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
    job = one(render("ingest-ray"), "RayJob", "retriton-ingest")
    job["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]["imagee"] = "x"
    with pytest.raises(jsonschema.ValidationError):
        validate(job)
    scaler = one(render("autoscaling-keda"), "ScaledObject", "retriton-server")
    scaler["spec"]["triggers"][0]["metrictype"] = "AverageValue"
    with pytest.raises(ValueError, match="not all fields|Extra"):
        validate(scaler)


def test_nothing_is_there_twice() -> None:
    for name in KUSTOMIZATIONS:
        names = [(m["kind"], m["metadata"].get("namespace"), m["metadata"]["name"]) for m in render(name)]
        assert len(names) == len(set(names))
