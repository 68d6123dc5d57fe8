{{/* How KEDA gets at the credentials of Kafka that the worker has. */}}

{{/* What KEDA calls each setting: a JSON object. */}}
{{- define "relay.scalerParameters" -}}
{{- $parameters := dict "RELAY_KAFKA__SSL_CAFILE" "ca" "RELAY_KAFKA__SSL_CERTFILE" "cert" "RELAY_KAFKA__SSL_KEYFILE" "key" "RELAY_KAFKA__SSL_KEY_PASSWORD" "keyPassword" -}}
{{- if eq (default "" .Values.config.kafka.sasl_mechanism) "OAUTHBEARER" -}}
{{- $_ := merge $parameters (dict "RELAY_KAFKA__SASL_OAUTH_CLIENT_ID" "username" "RELAY_KAFKA__SASL_OAUTH_CLIENT_SECRET" "password" "RELAY_KAFKA__SASL_OAUTH_TOKEN_URL" "oauthTokenEndpointUri" "RELAY_KAFKA__SASL_OAUTH_SCOPE" "scopes") -}}
{{- else -}}
{{- $_ := merge $parameters (dict "RELAY_KAFKA__SASL_USERNAME" "username" "RELAY_KAFKA__SASL_PASSWORD" "password") -}}
{{- end -}}
{{- $parameters | toJson -}}
{{- end }}

{{- define "relay.scalerSecrets" -}}
{{- $parameters := include "relay.scalerParameters" . | fromJson -}}
{{- range $setting, $from := .Values.secrets }}
{{- if and $from.name (hasKey $parameters $setting) }}
- parameter: {{ get $parameters $setting }}
  name: {{ $from.name | quote }}
  key: {{ $from.key | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* What of it is in the settings: a JSON object of values by setting. */}}
{{- define "relay.scalerSettings" -}}
{{- $found := dict -}}
{{- if and .Values.autoscaling.enabled (not .Values.autoscaling.authenticationRef.name) (hasPrefix "SASL" .Values.config.kafka.security_protocol) -}}
{{- range $setting, $_ := include "relay.scalerParameters" . | fromJson -}}
{{- $name := trimPrefix "RELAY_KAFKA__" $setting | lower -}}
{{- with get $.Values.config.kafka $name -}}
{{- if hasPrefix "sasl_" $name -}}{{- $_ := set $found $setting . -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $found | toJson -}}
{{- end }}

{{/* That is given to the worker's container once more, as variables, from where KEDA can read it. */}}
{{- define "relay.scalerEnv" -}}
{{- range $setting, $value := include "relay.scalerSettings" . | fromJson }}
- name: {{ $setting }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
