{{/* A Deployment of ours, changed by the values of its component. */}}
{{- define "retriton.component" -}}
{{- $values := .values }}
{{- if not (kindIs "invalid" $values.replicas) }}
{{- $_ := set .spec "replicas" (int $values.replicas) }}
{{- end }}
{{- $template := .spec.template }}
{{- $container := index $template.spec.containers 0 }}
{{- range $part := list "nodeSelector" "tolerations" "affinity" "priorityClassName" }}
{{- if index $values $part }}
{{- $_ := set $template.spec $part (index $values $part) }}
{{- end }}
{{- end }}
{{- if $values.resources }}
{{- $_ := set $container "resources" $values.resources }}
{{- end }}
{{- range $part := list "env" "args" }}
{{- if index $values $part }}
{{- $_ := set $container $part (concat (index $container $part | default list) (index $values $part)) }}
{{- end }}
{{- end }}
{{- range $part := list "annotations" "labels" }}
{{- if index $values $part }}
{{- $_ := set $template.metadata $part (merge (index $template.metadata $part | default dict) (index $values $part)) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Images and volumes of all pods of a manifest, whatever its kind. */}}
{{- define "retriton.pods" -}}
{{- $spec := .manifest.spec | default dict }}
{{- $templates := list }}
{{- if has .manifest.kind (list "Deployment" "Job") }}
{{- $templates = list $spec.template }}
{{- else if eq .manifest.kind "CronJob" }}
{{- $templates = list $spec.jobTemplate.spec.template }}
{{- else if eq .manifest.kind "RayJob" }}
{{- $templates = list $spec.rayClusterSpec.headGroupSpec.template }}
{{- range $group := $spec.rayClusterSpec.workerGroupSpecs }}
{{- $templates = append $templates $group.template }}
{{- end }}
{{- end }}
{{- range $template := $templates }}
{{- include "retriton.images" (dict "root" $.root "pod" $template.spec) }}
{{- range $volume := $template.spec.volumes }}
{{- if eq $volume.name "documents" }}
{{- $_ := set $volume.persistentVolumeClaim "claimName" $.root.Values.ingest.claim }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Registry, tag and secrets of our images. Images of others stay. */}}
{{- define "retriton.images" -}}
{{- $image := .root.Values.image }}
{{- $tag := $image.tag | default .root.Chart.AppVersion }}
{{- range $container := concat (.pod.initContainers | default list) .pod.containers }}
{{- if hasPrefix "retriton-" $container.image }}
{{- $name := regexReplaceAll ":[0-9.]+" $container.image (printf ":%s" $tag) }}
{{- if $image.registry }}
{{- $name = printf "%s/%s" (trimSuffix "/" $image.registry) $name }}
{{- end }}
{{- $_ := set $container "image" $name }}
{{- if $image.pullPolicy }}
{{- $_ := set $container "imagePullPolicy" $image.pullPolicy }}
{{- end }}
{{- end }}
{{- end }}
{{- if $image.pullSecrets }}
{{- $secrets := list }}
{{- range $name := $image.pullSecrets }}
{{- $secrets = append $secrets (dict "name" $name) }}
{{- end }}
{{- $_ := set .pod "imagePullSecrets" $secrets }}
{{- end }}
{{- end }}
