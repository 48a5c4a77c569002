{{/* Names and blocks that several templates share. Object names are fixed: tenants' policies and commands rely on them. */}}

{{- define "algo.labels" -}}
app.kubernetes.io/name: algo-trading
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "algo.selector" -}}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "algo.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Pod Security "restricted" for a pod; `user` owns the mounted volumes. */}}
{{- define "algo.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
fsGroup: {{ .user }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "algo.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "algo.podExtras" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "algo.extraEnv" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{- define "algo.redisUrl" -}}
{{ .Values.redis.externalUrl | default (printf "redis://algo-redis.%s.svc:6379/0" .Release.Namespace) }}
{{- end }}
{{- define "algo.simulatorControlUrl" -}}
http://algo-simulator.{{ .Release.Namespace }}.svc:{{ .Values.simulator.controlPort }}
{{- end }}
{{- define "algo.simulatorBrokerUrls" -}}
{{- $urls := dict }}
{{- range $broker, $port := .Values.simulator.brokerPorts }}
{{- $_ := set $urls $broker (printf "http://algo-simulator.%s.svc:%v" $.Release.Namespace $port) }}
{{- end }}
{{- $urls | toJson }}
{{- end }}

{{- define "algo.secretName.api" -}}{{ .Values.secrets.existing.api | default "algo-api" }}{{- end }}
{{- define "algo.secretName.operator" -}}{{ .Values.secrets.existing.operator | default "algo-operator" }}{{- end }}
{{- define "algo.secretName.redis" -}}{{ .Values.secrets.existing.redis | default "algo-redis" }}{{- end }}
{{- define "algo.secretName.postgresql" -}}{{ .Values.secrets.existing.postgresql | default "algo-postgresql" }}{{- end }}

{{/* A value of a Secret as it is in the cluster (base64), else a new one: secrets are made once and survive upgrades. */}}
{{- define "algo.kept" -}}
{{- $found := lookup "v1" "Secret" .root.Release.Namespace .secret -}}
{{- $data := (and $found $found.data) | default dict -}}
{{- get $data .key | default (.fresh | b64enc) -}}
{{- end }}
