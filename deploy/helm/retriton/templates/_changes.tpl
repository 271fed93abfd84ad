{{/* A manifest with the changes of the values, as YAML. Its parts are changed in place. */}}
{{- define "retriton.changed" -}}
{{- $values := .root.Values }}
{{- $manifest := .manifest }}
{{- $kind := $manifest.kind }}
{{- $key := printf "%s/%s" $kind $manifest.metadata.name }}
{{- $spec := $manifest.spec }}
{{- if eq ($manifest.metadata.namespace | default "") "retriton" }}
{{- $_ := set $manifest.metadata "namespace" .root.Release.Namespace }}
{{- end }}
{{- if and (eq $kind "Namespace") (eq $manifest.metadata.name "retriton") }}
{{- $_ := set $manifest.metadata "name" .root.Release.Namespace }}
{{- end }}

{{- if eq $key "Deployment/retriton-server" }}
{{- include "retriton.component" (dict "spec" $spec "values" $values.server) }}
{{- else if eq $key "Deployment/retriton-gateway" }}
{{- include "retriton.component" (dict "spec" $spec "values" $values.gateway) }}
{{- else if eq $key "Service/retriton-gateway" }}
{{- include "retriton.service" (dict "manifest" $manifest "values" $values.gateway) }}
{{- else if eq $key "CronJob/retriton-ingest" }}
{{- $_ := set $spec "suspend" $values.ingest.cronJob.suspend }}
{{- $_ := set $spec "schedule" $values.ingest.cronJob.schedule }}
{{- else if eq $key "Job/retriton-ingest-shards" }}
{{- include "retriton.shards" (dict "spec" $spec "shards" (int $values.ingest.indexed.shards)) }}
{{- else if eq $key "RayJob/retriton-ingest" }}
{{- $group := index $spec.rayClusterSpec.workerGroupSpecs 0 }}
{{- range $number := list "replicas" "minReplicas" "maxReplicas" }}
{{- $_ := set $group $number (int $values.ingest.ray.workers) }}
{{- end }}
{{- else if eq $key "HorizontalPodAutoscaler/retriton-server" }}
{{- include "retriton.range" (dict "spec" $spec "range" $values.autoscaling.server "suffix" "Replicas") }}
{{- else if eq $key "HorizontalPodAutoscaler/retriton-gateway" }}
{{- include "retriton.range" (dict "spec" $spec "range" $values.autoscaling.gateway "suffix" "Replicas") }}
{{- else if eq $kind "ScaledObject" }}
{{- include "retriton.range" (dict "spec" $spec "range" $values.autoscaling.server "suffix" "ReplicaCount") }}
{{- range $trigger := $spec.triggers }}
{{- $_ := set $trigger.metadata "serverAddress" $values.autoscaling.prometheus }}
{{- $query := $trigger.metadata.query | replace "namespace=\"retriton\"" (printf "namespace=%q" $.root.Release.Namespace) }}
{{- $_ := set $trigger.metadata "query" $query }}
{{- end }}
{{- else if and (eq $kind "ConfigMap") (hasPrefix "retriton-settings-" $manifest.metadata.name) }}
{{- range $name, $value := $values.settings }}
{{- $_ := set $manifest.data $name (toString $value) }}
{{- end }}
{{- end }}

{{- include "retriton.pods" (dict "root" .root "manifest" $manifest) }}
{{- $override := index $values.overrides $key }}
{{- if $override }}
{{- $manifest = mergeOverwrite $manifest $override }}
{{- end }}
{{- toYaml $manifest }}
{{- end }}

{{/* Minimum and maximum of an autoscaler. */}}
{{- define "retriton.range" -}}
{{- if .range.min }}
{{- $_ := set .spec (printf "min%s" .suffix) (int .range.min) }}
{{- end }}
{{- if .range.max }}
{{- $_ := set .spec (printf "max%s" .suffix) (int .range.max) }}
{{- end }}
{{- end }}

{{/* The number of shards is in the arguments, too. */}}
{{- define "retriton.shards" -}}
{{- range $number := list "completions" "parallelism" "maxFailedIndexes" }}
{{- $_ := set $.spec $number $.shards }}
{{- end }}
{{- $container := index .spec.template.spec.containers 0 }}
{{- $args := list }}
{{- range $argument := $container.args }}
{{- $args = append $args (regexReplaceAll "^(--shard=.*)/[0-9]+$" $argument (printf "${1}/%d" $.shards)) }}
{{- end }}
{{- $_ := set $container "args" $args }}
{{- end }}

{{- define "retriton.service" -}}
{{- if ne .values.serviceType "ClusterIP" }}
{{- $_ := set .manifest.spec "type" .values.serviceType }}
{{- end }}
{{- if .values.serviceAnnotations }}
{{- $_ := set .manifest.metadata "annotations" .values.serviceAnnotations }}
{{- end }}
{{- end }}
