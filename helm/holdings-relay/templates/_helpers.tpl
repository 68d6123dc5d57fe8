{{/* Names, labels, and what the worker, the job and the test have in common. */}}

{{- define "relay.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "relay.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "relay.name" . -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* What never changes of a release: the worker's selector, without the component, also covers job and test. */}}
{{- define "relay.instanceLabels" -}}
app.kubernetes.io/name: {{ include "relay.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "relay.selectorLabels" -}}
{{ include "relay.instanceLabels" . }}
app.kubernetes.io/component: worker
{{- end }}

{{- define "relay.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "relay.instanceLabels" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "relay.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "relay.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end }}

{{- define "relay.image" -}}
{{- $image := printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- with .Values.image.digest }}{{ $image = printf "%s@%s" $image . }}{{ end -}}
{{- $image -}}
{{- end }}

{{- define "relay.config" -}}
config.yaml: |
  {{- toYaml .Values.config | nindent 2 }}
{{- end }}

{{/* Where a setting's file is: mounted from a Secret, or put there by somebody else. */}}
{{- define "relay.env" -}}
- name: RELAY_CONFIG
  value: /etc/holdings-relay/config.yaml
{{- /* A setting that is a file's name itself (SSL_CAFILE) is given as it is, any other by a file that holds its value. */}}
{{- range $setting, $from := .Values.secrets }}
- name: {{ hasSuffix "FILE" $setting | ternary $setting (printf "%s_FILE" $setting) }}
  value: {{ $from.file | default (printf "/var/run/secrets/holdings-relay/%s" $setting) | quote }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "relay.volumeMounts" -}}
- name: config
  mountPath: /etc/holdings-relay
  readOnly: true
{{- if include "relay.mountedSecrets" . }}
- name: secrets
  mountPath: /var/run/secrets/holdings-relay
  readOnly: true
{{- end }}
- name: tmp
  mountPath: /tmp
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "relay.mountedSecrets" -}}
{{- range $setting, $from := .Values.secrets }}
{{- if $from.name }}
- secret:
    name: {{ $from.name | quote }}
    items:
      - key: {{ $from.key | quote }}
        path: {{ $setting | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Takes the name of the ConfigMap beside the root: the job before an installation has one of its own. */}}
{{- define "relay.volumes" -}}
{{- $root := .root -}}
- name: config
  configMap:
    name: {{ .config }}
{{- with include "relay.mountedSecrets" $root }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- . | trim | nindent 6 }}
{{- end }}
- name: tmp
  emptyDir:
    sizeLimit: {{ $root.Values.temporaryStorage }}
{{- with $root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What every pod of the release has, whatever it runs. */}}
{{- define "relay.podBasics" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "relay.containerBasics" -}}
image: {{ include "relay.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.containerSecurityContext | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
{{- end }}

{{/* After the grace period of the relay itself: the last commit, leaving the group, closing. */}}
{{- define "relay.terminationSeconds" -}}
{{- add (ceil .Values.config.shutdown.grace_seconds | int) 20 -}}
{{- end }}
