{{/* The name of everything: the release's, and the chart's where that does not say it. */}}
{{- define "weir.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "weir.operator" -}}{{ include "weir.fullname" . }}-operator{{- end -}}
{{- define "weir.server" -}}{{ include "weir.fullname" . }}-server{{- end -}}

{{/* A cluster-scoped name: two namespaced installations must not share one. */}}
{{- define "weir.clusterName" -}}{{ .Release.Namespace }}-{{ include "weir.fullname" . }}{{- end -}}

{{/* Labels. Call with (dict "root" $ "component" "server"). */}}
{{- define "weir.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{ include "weir.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: weir
{{- end -}}

{{- define "weir.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{/* An image. Call with (dict "root" $ "image" .Values.image.operator). */}}
{{- define "weir.image" -}}
{{ .image.repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end -}}

{{- define "weir.usesPostgres" -}}
{{- if or .Values.database.url .Values.database.existingSecret.name -}}true{{- end -}}
{{- end -}}

{{/* Mistakes that only two values together make. */}}
{{- define "weir.check" -}}
{{- if and .Values.database.url .Values.database.existingSecret.name -}}
{{- fail "set database.url or database.existingSecret.name, not both" -}}
{{- end -}}
{{- if and (gt (int .Values.server.replicas) 1) (not (include "weir.usesPostgres" .)) -}}
{{- fail "server.replicas > 1 needs PostgreSQL: set database.url or database.existingSecret.name" -}}
{{- end -}}
{{- with .Values.server.storage -}}
{{- if and (eq .type "hostPath") (not .path) -}}
{{- fail "server.storage.type hostPath needs server.storage.path, a folder that user 65532 may write" -}}
{{- end -}}
{{- if and (eq .type "existingClaim") (not .claim) -}}
{{- fail "server.storage.type existingClaim needs server.storage.claim" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.tls.certManager.enabled (not .Values.tls.certManager.issuerRef.name) -}}
{{- fail "tls.certManager needs tls.certManager.issuerRef.name" -}}
{{- end -}}
{{- end -}}

{{/* What operator and server share of their environment. */}}
{{- define "weir.environment" -}}
- name: WEIR_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: WEIR_WATCH_NAMESPACES
  value: {{ join "," .Values.watchNamespaces | quote }}
- name: WEIR_LOG_LEVEL
  value: {{ .Values.logging.level | quote }}
- name: WEIR_LOG_FORMAT
  value: {{ .Values.logging.format | quote }}
- name: WEIR_TLS_SECRET
  value: {{ .Values.tls.secretName | quote }}
{{- end -}}

{{/* Pod security "restricted", for a Pod. */}}
{{- define "weir.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "weir.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Environment of runners that install requirements, as JSON. */}}
{{- define "weir.packages" -}}
{{- $env := list -}}
{{- with .Values.runner.packages -}}
{{- with .indexUrl -}}{{- $env = append $env (dict "name" "UV_DEFAULT_INDEX" "value" .) -}}{{- end -}}
{{- with .extraIndexUrls -}}{{- $env = append $env (dict "name" "UV_INDEX" "value" (join " " .)) -}}{{- end -}}
{{- with .findLinks -}}{{- $env = append $env (dict "name" "UV_FIND_LINKS" "value" (join "," .)) -}}{{- end -}}
{{- if .offline -}}{{- $env = append $env (dict "name" "WEIR_PACKAGES_OFFLINE" "value" "1") -}}{{- end -}}
{{- end -}}
{{- toJson $env -}}
{{- end -}}

{{/* Source of the volume that keeps installed modules, as JSON. */}}
{{- define "weir.cache" -}}
{{- with .Values.runner.cache -}}
{{- if .hostPath -}}
{{- toJson (dict "hostPath" (dict "path" .hostPath "type" "Directory")) -}}
{{- else if .claim -}}
{{- toJson (dict "persistentVolumeClaim" (dict "claimName" .claim)) -}}
{{- else -}}
{}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Where the Pod runs. Call with .Values.operator or .Values.server. */}}
{{- define "weir.scheduling" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}
