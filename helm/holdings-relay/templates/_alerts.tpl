{{/* What tells this release's series from those of others, in the braces of a query. */}}
{{- define "relay.series" -}}
namespace="{{ .Release.Namespace }}",pod=~"{{ include "relay.fullname" . }}-.*"
{{- end }}

{{/* Series of events other than exports, which take hours. */}}
{{- define "relay.prompt" -}}
{{ include "relay.series" . }},topic!="{{ .Values.config.topics.prefix }}holdings.export-requests"
{{- end }}
