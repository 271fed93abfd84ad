{{/* The names of the files with manifests, as a YAML list. */}}
{{- define "retriton.files" -}}
- profiles/{{ .Values.profile }}
{{- if eq .Values.autoscaling.kind "keda" }}
- options/autoscaling-keda
{{- end }}
{{- if .Values.ingest.indexed.enabled }}
- options/ingest-indexed
{{- end }}
{{- if .Values.ingest.ray.enabled }}
- options/ingest-ray
{{- end }}
{{- if .Values.loadTest.enabled }}
- options/load-test
{{- end }}
{{- end }}

{{/* Whether a manifest of these files is part of the release: not empty if it is. */}}
{{- define "retriton.isWanted" -}}
{{- $kind := .manifest.kind }}
{{- $name := .manifest.metadata.name }}
{{- $monitoring := or (has $kind (list "ServiceMonitor" "PrometheusRule")) (eq $name "retriton-dashboard") }}
{{- $isOwnNamespace := and (eq $kind "Namespace") (eq $name "retriton") }}
{{- $isServersHpa := and (eq $kind "HorizontalPodAutoscaler") (eq $name "retriton-server") }}
{{- if and $isOwnNamespace (not .Values.createNamespace) }}
{{- else if and $monitoring (not .Values.monitoring.enabled) }}
{{- else if and (eq $kind "NetworkPolicy") (not .Values.networkPolicies.enabled) }}
{{- else if and (eq $kind "HorizontalPodAutoscaler") (eq .Values.autoscaling.kind "none") }}
{{- else if and $isServersHpa (eq .Values.autoscaling.kind "keda") }}
{{- else if and (eq $kind "CronJob") (not .Values.ingest.cronJob.enabled) }}
{{- else }}
wanted
{{- end }}
{{- end }}
