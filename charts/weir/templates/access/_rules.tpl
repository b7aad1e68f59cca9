{{/* What each component may do, and the call that needs it. Nothing here is wider than a call of ours. */}}

{{/* The operator, in the namespaces that it serves. */}}
{{- define "weir.rules.operator" -}}
- apiGroups: [weir.dev]
  resources: [connectors, flowrepositories]
  verbs: [get, list, watch]
- apiGroups: [weir.dev]
  resources: [flows, schedules]  # written as a FlowRepository has them
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [weir.dev]
  resources: [settings, schemas]  # the same; changes by hand are found at each interval
  verbs: [get, list, create, patch, delete]
{{- with .Values.operator.repositories }}
{{- if .impersonation }}
- apiGroups: [""]
  resources: [serviceaccounts]  # spec.serviceAccountName of FlowRepositories
  {{- with .serviceAccounts }}
  resourceNames: {{ toJson . }}
  {{- end }}
  verbs: [impersonate]
{{- end }}
{{- end }}
- apiGroups: [weir.dev]
  resources: [executions]
  verbs: [get, list, watch, create, patch]  # of Schedules; patch: desiredState of what is to end
- apiGroups: [weir.dev]
  resources: [flows/status, executions/status, connectors/status, schedules/status, flowrepositories/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, delete]
- apiGroups: [apps]
  resources: [controllerrevisions]  # revisions of Flows
  verbs: [get, list, create, delete]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]  # whether a Connector's Secrets are there
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end -}}

{{/* The operator, in its own namespace. */}}
{{- define "weir.rules.operator.own" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]  # cannot be limited by name
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "weir.operator" . }}]
  verbs: [get, patch]
- apiGroups: [""]
  resources: [services]
  resourceNames: [{{ include "weir.server" . }}]
  verbs: [get]  # the address that runners are given
{{- if .Values.tls.certManager.enabled }}
{{- /* It must not be first to make the Secret, so it may not. */}}
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [{{ .Values.tls.secretName }}]
  verbs: [get]
{{- else }}
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [{{ .Values.tls.secretName }}, weir-ca]
  verbs: [get, patch]
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
{{- end }}
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [weir-server-ca]
  verbs: [get, patch]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [create]
{{- end -}}

{{/* The server, in the namespaces that it serves. */}}
{{- define "weir.rules.server" -}}
- apiGroups: [weir.dev]
  resources: [flows, connectors, schedules, webhooks]  # written for scripts whose Flow's spec.allow names them
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [weir.dev]
  resources: [settings, schemas]  # as scripts save and delete them
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [weir.dev]
  resources: [executions]
  verbs: [get, list, watch, create, patch, delete]  # children, their cancellation, retention
- apiGroups: [weir.dev]
  resources: [executions/status, messages/status, settings/status, webhooks/status]  # of Settings: locks
  verbs: [patch]
- apiGroups: [weir.dev]
  resources: [messages]
  verbs: [get, list, watch, create]
- apiGroups: [weir.dev]
  resources: [flowrepositories]
  verbs: [get, list, watch, patch]  # patch: the annotation that asks for a sync
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [get]  # the script that a run keeps
- apiGroups: [""]
  resources: [pods]
  verbs: [get]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]  # secret inputs of connections
{{- end -}}

{{/* The server, in its own namespace. */}}
{{- define "weir.rules.server.own" -}}
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [{{ .Values.tls.secretName }}]
  verbs: [get, list, watch]  # its certificate, and its renewal
{{- end -}}

{{/* The server, in the cluster. */}}
{{- define "weir.rules.server.cluster" -}}
- apiGroups: [authentication.k8s.io]
  resources: [tokenreviews]
  verbs: [create]
- apiGroups: [authorization.k8s.io]
  resources: [subjectaccessreviews]
  verbs: [create]
- nonResourceURLs: [/openid/v1/jwks, /.well-known/openid-configuration]
  verbs: [get]  # the keys that runners' tokens are signed with
{{- end -}}

{{/* People: may look. */}}
{{- define "weir.rules.view" -}}
- apiGroups: [weir.dev]
  resources: [flows, executions, connectors, messages, settings, schemas, schedules, webhooks, flowrepositories]
  verbs: [get, list, watch]
- apiGroups: [weir.dev]
  resources: [files]  # kept by the server, which asks for these rights
  verbs: [get, list]
{{- end -}}

{{/* People: answer messages. */}}
{{- define "weir.rules.respond" -}}
- apiGroups: [weir.dev]
  resources: [messages]
  verbs: [update, patch]
{{- end -}}

{{/* People: run flows, cancel and pause runs. */}}
{{- define "weir.rules.user" -}}
{{ include "weir.rules.view" . }}
- apiGroups: [weir.dev]
  resources: [executions]
  verbs: [create, update, patch]
{{ include "weir.rules.respond" . }}
{{- end -}}

{{/* People: write flows, connectors, settings and schemas. This equals creating Pods. */}}
{{- define "weir.rules.author" -}}
{{ include "weir.rules.view" . }}
- apiGroups: [weir.dev]
  resources: [flows, connectors, settings, schemas, schedules, webhooks, flowrepositories, executions]
  verbs: [create, update, patch, delete, deletecollection]
- apiGroups: [weir.dev]
  resources: [files]
  verbs: [update, delete]
{{ include "weir.rules.respond" . }}
{{- end -}}
