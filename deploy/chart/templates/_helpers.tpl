{{/* Names begin with the release's, so that two releases never meet. */}}
{{- define "connecte.name" -}}
{{- if gt (len .Release.Name) 40 }}{{ fail "the release's name: at most 40 characters" }}{{ end -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" .Release.Name) }}{{ fail "the release's name: a letter, then letters, digits and hyphens, as its Services are named after it" }}{{ end -}}
{{ .Release.Name }}
{{- end }}

{{- define "connecte.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{/* What selects; never changes in the life of a release. */}}
{{- define "connecte.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "connecte.labels" -}}
{{ include "connecte.selector" . }}
app.kubernetes.io/part-of: {{ .root.Chart.Name }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/* The enabled services, each with what it does not say itself, as a JSON object by name. */}}
{{- define "connecte.services" -}}
{{- $found := dict -}}
{{- range $name, $own := .Values.services -}}
{{- $service := mergeOverwrite (deepCopy $.Values.defaults) (deepCopy ($own | default dict)) -}}
{{- if $service.enabled -}}{{- $_ := set $found $name $service -}}{{- end -}}
{{- end -}}
{{ $found | toJson }}
{{- end }}

{{/* Restricted pod security, of every pod: services, hooks and tests. */}}
{{- define "connecte.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  {{- with .Values.pod.runAsUser }}
  runAsUser: {{ int . }}
  runAsGroup: {{ int . }}
  fsGroup: {{ int . }}
  {{- end }}
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Where pods may run: those of a service, and those of hooks and tests like the defaults. */}}
{{- define "connecte.placement" -}}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "connecte.containerSecurity" -}}
image: {{ include "connecte.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* An account at the broker, whole: from what is set, and from the KafkaUser if Strimzi makes it. */}}
{{- define "connecte.account" -}}
{{- $default := dict "secret" "" "username" "" "usernameKey" "" "passwordKey" "password" "certificateSecret" "" -}}
{{- $account := mergeOverwrite $default (deepCopy (.account | default dict)) -}}
{{- $user := printf "mentoring-%s" .component -}}
{{- if eq .root.Values.kafka.management "strimzi" -}}
{{- $user = printf "%s-%s" (include "connecte.name" .root) .component -}}
{{- if not $account.secret }}{{ $_ := set $account "secret" $user }}
{{- else if not (or $account.username $account.usernameKey) }}{{ fail (printf "%s.username: needed beside %s.secret, which is not Strimzi's" .path .path) }}{{ end -}}
{{- end -}}
{{- if not (or $account.username $account.usernameKey) }}{{ $_ := set $account "username" $user }}{{ end -}}
{{- if and (contains "SASL" .root.Values.kafka.securityProtocol) (not $account.secret) -}}
{{- fail (printf "%s.secret: needed with kafka.securityProtocol %s" .path .root.Values.kafka.securityProtocol) -}}
{{- end -}}
{{ $account | toJson }}
{{- end }}

{{- define "connecte.kafkaEnv" -}}
{{- $kafka := .root.Values.kafka -}}
{{- $account := include "connecte.account" . | fromJson -}}
- name: KAFKA_BOOTSTRAP_SERVERS
  value: {{ $kafka.bootstrapServers | quote }}
- name: KAFKA_SECURITY_PROTOCOL
  value: {{ $kafka.securityProtocol }}
{{- if contains "SASL" $kafka.securityProtocol }}
- name: KAFKA_SASL_MECHANISM
  value: {{ $kafka.mechanism }}
- name: KAFKA_SASL_USERNAME
  {{- if $account.usernameKey }}
  valueFrom: {secretKeyRef: {name: {{ $account.secret }}, key: {{ $account.usernameKey }}}}
  {{- else }}
  value: {{ $account.username | quote }}
  {{- end }}
- name: KAFKA_SASL_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $account.secret }}, key: {{ $account.passwordKey }}}}
{{- end }}
{{- if hasSuffix "SSL" $kafka.securityProtocol }}
{{- if or $kafka.ca.secret $kafka.ca.configMap }}
- name: KAFKA_SSL_CAFILE
  value: /etc/connecte/kafka-ca/ca.crt
{{- end }}
{{- if $account.certificateSecret }}
- name: KAFKA_SSL_CERTFILE
  value: /etc/connecte/kafka-certificate/tls.crt
- name: KAFKA_SSL_KEYFILE
  value: /etc/connecte/kafka-certificate/tls.key
{{- end }}
{{- end }}
{{- end }}

{{/* Authorities of the ministry's own: for the database, the mail server, the collector, the broker. */}}
{{- define "connecte.trustEnv" -}}
{{- if or .Values.trust.secret .Values.trust.configMap -}}
- name: SSL_CERT_FILE
  value: /etc/connecte/trust/ca.crt
# What hands traces over does not read the one above.
- name: REQUESTS_CA_BUNDLE
  value: /etc/connecte/trust/ca.crt
{{- end }}
{{- end }}

{{/* A PEM file from a Secret or a ConfigMap, as ca.crt of a volume. */}}
{{- define "connecte.authorities" -}}
- name: {{ .volume }}
  {{- if .from.secret }}
  secret:
    secretName: {{ .from.secret }}
  {{- else }}
  configMap:
    name: {{ .from.configMap }}
  {{- end }}
    items: [{key: {{ .from.key }}, path: ca.crt}]
{{- end }}

{{- define "connecte.mounts" -}}
{{- $kafka := .root.Values.kafka -}}
{{- $account := include "connecte.account" . | fromJson -}}
- name: tmp
  mountPath: /tmp
{{- with .root.Values.trust }}
{{- if or .secret .configMap }}
- name: trust
  mountPath: /etc/connecte/trust
  readOnly: true
{{- end }}
{{- end }}
{{- if hasSuffix "SSL" $kafka.securityProtocol }}
{{- if or $kafka.ca.secret $kafka.ca.configMap }}
- name: kafka-ca
  mountPath: /etc/connecte/kafka-ca
  readOnly: true
{{- end }}
{{- if $account.certificateSecret }}
- name: kafka-certificate
  mountPath: /etc/connecte/kafka-certificate
  readOnly: true
{{- end }}
{{- end }}
{{- end }}

{{- define "connecte.volumes" -}}
{{- $kafka := .root.Values.kafka -}}
{{- $account := include "connecte.account" . | fromJson -}}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- with .root.Values.trust }}
{{- if or .secret .configMap }}
{{ include "connecte.authorities" (dict "volume" "trust" "from" .) }}
{{- end }}
{{- end }}
{{- if hasSuffix "SSL" $kafka.securityProtocol }}
{{- if or $kafka.ca.secret $kafka.ca.configMap }}
{{ include "connecte.authorities" (dict "volume" "kafka-ca" "from" $kafka.ca) }}
{{- end }}
{{- with $account.certificateSecret }}
- name: kafka-certificate
  secret:
    secretName: {{ . }}
    # The key only for the group of the pod.
    defaultMode: 0440
{{- end }}
{{- end }}
{{- end }}

{{/* The host of a service's pages. Fails where a page cannot be led to. */}}
{{- define "connecte.host" -}}
{{- $url := index .root.Values.urls .component -}}
{{- if not $url }}{{ fail (printf "urls.%s: needed for its pages" .component) }}{{ end -}}
{{- $parsed := urlParse $url -}}
{{- if $parsed.path }}{{ fail (printf "urls.%s: no path with ingress or httpRoute, for nothing rewrites it" .component) }}{{ end -}}
{{- if regexMatch "^[0-9.]+(:[0-9]+)?$" $parsed.host }}{{ fail (printf "urls.%s: a name with ingress or httpRoute, not an address" .component) }}{{ end -}}
{{- regexReplaceAll ":[0-9]+$" $parsed.host "" -}}
{{- end }}
