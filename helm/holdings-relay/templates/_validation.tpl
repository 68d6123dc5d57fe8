{{/* What the schema cannot say: values that need one another. All faults are told at once. */}}
{{- define "relay.validate" -}}
{{- $faults := list -}}
{{- $config := .Values.config -}}
{{- $given := dict -}}
{{- range $setting, $_ := .Values.secrets }}{{ $_ := set $given $setting true }}{{ end -}}
{{- range .Values.extraEnv }}{{ $_ := set $given (trimSuffix "_FILE" .name) true }}{{ end -}}
{{- $folio := dig "folio" "url" "" $config -}}
{{- $scsb := dig "scsb" "url" "" $config -}}
{{- $holdingsiq := dig "holdingsiq" "url" "" $config -}}
{{- if not $config.kafka.bootstrap_servers -}}
{{- $faults = append $faults "config.kafka.bootstrap_servers is needed: the brokers to begin with" -}}
{{- end -}}
{{- if not (or $folio $scsb $holdingsiq) -}}
{{- $faults = append $faults "no system is configured: give one of config.folio.url, config.scsb.url and config.holdingsiq.url" -}}
{{- end -}}
{{- if and $folio (not (regexMatch "RELAY_FOLIO__(TOKEN|PASSWORD|TENANTS__)" (keys $given | join " "))) -}}
{{- $faults = append $faults "config.folio.url needs secrets.RELAY_FOLIO__TOKEN, or secrets.RELAY_FOLIO__PASSWORD with config.folio.username, or credentials of tenants" -}}
{{- end -}}
{{- if and $scsb (not (hasKey $given "RELAY_SCSB__API_KEY")) -}}
{{- $faults = append $faults "config.scsb.url needs secrets.RELAY_SCSB__API_KEY" -}}
{{- end -}}
{{- if and $holdingsiq (not (hasKey $given "RELAY_HOLDINGSIQ__API_KEY")) -}}
{{- $faults = append $faults "config.holdingsiq.url needs secrets.RELAY_HOLDINGSIQ__API_KEY" -}}
{{- end -}}
{{- if hasPrefix "SASL" $config.kafka.security_protocol -}}
{{- $needed := eq (default "" $config.kafka.sasl_mechanism) "OAUTHBEARER" | ternary "RELAY_KAFKA__SASL_OAUTH_CLIENT_SECRET" "RELAY_KAFKA__SASL_PASSWORD" -}}
{{- if not (hasKey $given $needed) -}}
{{- $faults = append $faults (printf "config.kafka.security_protocol %s needs secrets.%s" $config.kafka.security_protocol $needed) -}}
{{- end -}}
{{- end -}}
{{- if .Values.autoscaling.enabled -}}
{{- if gt (int .Values.autoscaling.maxReplicas) (int .Values.topics.partitions) -}}
{{- $faults = append $faults (printf "autoscaling.maxReplicas %v is over topics.partitions %v: a worker without a partition does nothing" .Values.autoscaling.maxReplicas .Values.topics.partitions) -}}
{{- end -}}
{{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) -}}
{{- $faults = append $faults "autoscaling.minReplicas is over autoscaling.maxReplicas" -}}
{{- end -}}
{{- if and (ne $config.kafka.security_protocol "PLAINTEXT") (not .Values.autoscaling.authenticationRef.name) -}}
{{- range $setting, $from := .Values.secrets -}}
{{- if and (hasPrefix "RELAY_KAFKA__S" $setting) (not $from.name) -}}
{{- $faults = append $faults (printf "secrets.%s is a file, which KEDA cannot read: give autoscaling.authenticationRef.name" $setting) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (not .Values.autoscaling.authenticationRef.name) (contains " " (default "" $config.kafka.sasl_oauth_scope)) -}}
{{- $faults = append $faults "config.kafka.sasl_oauth_scope names several scopes, which KEDA wants in another form: give autoscaling.authenticationRef.name" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.topics.strimzi.enabled (not .Values.topics.strimzi.cluster) -}}
{{- $faults = append $faults "topics.strimzi.cluster is needed: the name of the Kafka resource" -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "\n\n  %s\n" (join "\n  " $faults)) -}}
{{- end -}}
{{- end }}
