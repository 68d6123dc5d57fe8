{{/* The ports that egress needs, read off the settings: a JSON list of whole numbers each. */}}

{{- define "relay.kafkaPorts" -}}
{{- $ports := list -}}
{{- range splitList "," .Values.config.kafka.bootstrap_servers -}}
{{- $port := regexFind "[0-9]+$" (trim .) -}}
{{- $ports = append $ports (int (default "9092" $port)) -}}
{{- end -}}
{{- range .Values.networkPolicy.kafka.ports }}{{ $ports = append $ports (int .) }}{{ end -}}
{{- $ports | uniq | toJson -}}
{{- end }}

{{- define "relay.systemsPorts" -}}
{{- $ports := list -}}
{{- $config := .Values.config -}}
{{- $urls := list (dig "folio" "url" "" $config) (dig "scsb" "url" "" $config) (dig "holdingsiq" "url" "" $config) -}}
{{- range compact (append $urls (default "" $config.kafka.sasl_oauth_token_url)) -}}
{{- $url := urlParse . -}}
{{- $named := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- $ports = append $ports (int (default (eq $url.scheme "https" | ternary "443" "80") $named)) -}}
{{- end -}}
{{- /* Exports are downloaded behind links, which are https wherever they lead. */ -}}
{{- if dig "holdingsiq" "url" "" .Values.config }}{{ $ports = append $ports 443 }}{{ end -}}
{{- range .Values.networkPolicy.systems.ports }}{{ $ports = append $ports (int .) }}{{ end -}}
{{- $ports | uniq | toJson -}}
{{- end }}
