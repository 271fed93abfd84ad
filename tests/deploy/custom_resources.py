"""Schemas of the custom resources that no small package carries: those of the Milvus Operator, KubeRay and KServe.

They have the fields that we use, with their types in `milvus.io/v1beta1` (components_types.go, dependencies_types.go),
`ray.io/v1` (rayjob_types.go, raycluster_types.go) and `serving.kserve.io` (servingruntime_types.go, model_spec.go), and
Kubernetes' schemas where they are Kubernetes' types.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
from referencing import Registry, Resource

Manifest = dict[str, Any]
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
_MILVUS = _object(
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

_STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
_RAY_GROUP = {
    "rayStartParams": _STRINGS,
    "template": _core("PodTemplateSpec"),
}
_RAY_JOB = _object(
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayJob"},
    metadata={"type": "object"},
    spec=_object(
        entrypoint={"type": "string"},
        submissionMode={"enum": ["K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"]},
        shutdownAfterJobFinishes={"type": "boolean"},
        ttlSecondsAfterFinished=_COUNT,
        backoffLimit=_COUNT,
        rayClusterSpec=_object(
            rayVersion={"type": "string"},
            enableInTreeAutoscaling={"type": "boolean"},
            headGroupSpec=_object(**_RAY_GROUP),
            workerGroupSpecs={
                "type": "array",
                "items": _object(
                    groupName={"type": "string"}, replicas=_COUNT, minReplicas=_COUNT, maxReplicas=_COUNT, **_RAY_GROUP
                ),
            },
        ),
    ),
)
_CLUSTER_SERVING_RUNTIME = _object(
    apiVersion={"const": "serving.kserve.io/v1alpha1"},
    kind={"const": "ClusterServingRuntime"},
    metadata={"type": "object"},
    spec=_object(
        protocolVersions={"type": "array", "items": {"enum": ["v1", "v2", "grpc-v2"]}},
        supportedModelFormats={
            "type": "array",
            "items": _object(
                name={"type": "string"}, version={"type": "string"}, autoSelect={"type": "boolean"}, priority=_COUNT
            ),
        },
        multiModel={"type": "boolean"},
        annotations=_STRINGS,
        containers={"type": "array", "items": _core("Container")},
        volumes={"type": "array", "items": _core("Volume")},
    ),
)
_INFERENCE_SERVICE = _object(
    apiVersion={"const": "serving.kserve.io/v1beta1"},
    kind={"const": "InferenceService"},
    metadata={"type": "object"},
    spec=_object(
        predictor=_object(
            minReplicas=_COUNT,
            maxReplicas=_COUNT,
            terminationGracePeriodSeconds=_COUNT,
            model=_object(
                modelFormat=_object(name={"type": "string"}, version={"type": "string"}),
                runtime={"type": "string"},
                protocolVersion={"enum": ["v1", "v2", "grpc-v2"]},
                storageUri={"type": "string"},
            ),
        ),
    ),
)
SCHEMAS = {
    "Milvus": _MILVUS,
    "RayJob": _RAY_JOB,
    "ClusterServingRuntime": _CLUSTER_SERVING_RUNTIME,
    "InferenceService": _INFERENCE_SERVICE,
}


def validate_custom(manifest: Manifest) -> None:
    """Validates a manifest of a kind in `SCHEMAS`.

    Raises:
        jsonschema.ValidationError: it does not fit.
    """
    package = files("kubernetes_validate") / "kubernetes-json-schema" / "v1.32.0-local-strict" / "_definitions.json"
    definitions = Resource.from_contents(json.loads(package.read_text()))
    registry: Registry[Any] = Registry().with_resource(_DEFINITIONS, definitions)
    jsonschema.Draft202012Validator(SCHEMAS[manifest["kind"]], registry=registry).validate(manifest)
