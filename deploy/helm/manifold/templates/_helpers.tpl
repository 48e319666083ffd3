{{/* The name of every object, short enough for what is put behind it. */}}
{{- define "manifold.fullname" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* What tells the pods of this release from others, for ever. */}}
{{- define "manifold.selectorLabels" -}}
app.kubernetes.io/name: manifold
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "manifold.labels" -}}
{{ include "manifold.selectorLabels" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The configuration that the gateway reads: the one of the values, and what the chart knows better. */}}
{{- define "manifold.configuration" -}}
{{- /* Who reaches the admin door is said by the network policy, and the ServiceMonitor has no token. */ -}}
{{- $c := merge (deepCopy .Values.config) (dict "listen" "0.0.0.0" "admin" (dict "openMetrics" true)) -}}
{{- if .Values.tls.secretName -}}
{{-   $tls := dict "certificate" "/etc/manifold/tls/tls.crt" "key" "/etc/manifold/tls/tls.key" -}}
{{-   if .Values.tls.clientCA -}}
{{-     $_ := set $tls "clientCA" "/etc/manifold/tls/ca.crt" -}}
{{-   end -}}
{{-   $_ := set $c "tls" (merge $tls (default dict $c.tls)) -}}
{{- end -}}
{{ toYaml $c }}
{{- end -}}

{{/* "true" unless a door of the configuration is switched off. */}}
{{- define "manifold.on" -}}
{{- ne (toString (get . "enabled")) "false" -}}
{{- end -}}

{{/*
The doors that the configuration opens for clients: a list of name, port and protocol. It has to know the default ports;
a test holds them together with what `manifold check` says.
*/}}
{{- define "manifold.doors" -}}
{{- $secure := not (empty .Values.tls.secretName) -}}
{{- $config := .Values.config -}}
{{- range $name, $ports := dict "mqtt" (list 1883 8883) "amqp" (list 5672 5671) "stomp" (list 61613 61614) "http" (list 8080 8443) -}}
{{-   $door := default dict (get $config $name) -}}
{{-   if eq (include "manifold.on" $door) "true" }}
- {name: {{ $name }}, port: {{ default (first $ports) $door.port | int }}, protocol: TCP}
{{-     if $secure }}
- {name: {{ $name }}s, port: {{ default (last $ports) $door.tlsPort | int }}, protocol: TCP}
{{-     end -}}
{{-   end -}}
{{- end -}}
{{- $mqtt := default dict $config.mqtt -}}
{{- $ws := default dict $mqtt.webSocket -}}
{{- if and (eq (include "manifold.on" $mqtt) "true") (eq (include "manifold.on" $ws) "true") }}
- {name: ws, port: {{ default 8083 $ws.port | int }}, protocol: TCP}
{{-   if $secure }}
- {name: wss, port: {{ default 8084 $ws.tlsPort | int }}, protocol: TCP}
{{-   end -}}
{{- end -}}
{{- $coap := default dict $config.coap -}}
{{- if eq (include "manifold.on" $coap) "true" -}}
{{-   $tcp := ne (toString (get $coap "tcp")) "false" }}
- {name: coap, port: {{ default 5683 $coap.port | int }}, protocol: UDP}
{{-   if $tcp }}
- {name: coap-tcp, port: {{ default 5683 $coap.port | int }}, protocol: TCP}
{{-   end -}}
{{-   if or $secure (contains "preSharedKey:" (toYaml $config)) }}
- {name: coaps, port: {{ default 5684 $coap.tlsPort | int }}, protocol: UDP}
{{-   end -}}
{{-   if and $secure $tcp }}
- {name: coaps-tcp, port: {{ default 5684 $coap.tlsPort | int }}, protocol: TCP}
{{-   end -}}
{{- end -}}
{{- end -}}

{{- define "manifold.adminPort" -}}
{{- default 8081 (default dict .Values.config.admin).port | int -}}
{{- end -}}

{{/* The ports of a service: the doors by name. */}}
{{- define "manifold.servicePorts" -}}
{{- range fromYamlArray (include "manifold.doors" .) }}
- name: {{ .name }}
  port: {{ .port }}
  targetPort: {{ .name }}
  protocol: {{ .protocol }}
{{- end -}}
{{- end -}}
