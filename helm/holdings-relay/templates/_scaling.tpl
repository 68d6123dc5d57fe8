{{/* How KEDA gets at the credentials of Kafka that the worker has. */}}

{{- define "relay.scalerSecrets" -}}
{{- $parameters := dict "RELAY_KAFKA__SASL_USERNAME" "username" "RELAY_KAFKA__SASL_PASSWORD" "password" "RELAY_KAFKA__SSL_CAFILE" "ca" "RELAY_KAFKA__SSL_CERTFILE" "cert" "RELAY_KAFKA__SSL_KEYFILE" "key" -}}
{{- range $setting, $from := .Values.secrets }}
{{- if and $from.name (hasKey $parameters $setting) }}
- parameter: {{ get $parameters $setting }}
  name: {{ $from.name | quote }}
  key: {{ $from.key | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* A user name that is in the settings is given to the worker's container once more, from where KEDA can read it. */}}
{{- define "relay.scalerEnv" -}}
{{- if and .Values.autoscaling.enabled .Values.config.kafka.sasl_username (not .Values.autoscaling.authenticationRef.name) -}}
- name: RELAY_KAFKA__SASL_USERNAME
  value: {{ .Values.config.kafka.sasl_username | quote }}
{{- end -}}
{{- end }}
