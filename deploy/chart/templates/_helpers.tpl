{{/* Names begin with the release's, or with fullnameOverride, so that two releases never meet. */}}
{{- define "connecte.name" -}}
{{- $name := .Values.fullnameOverride | default .Release.Name -}}
{{- $whose := ternary "fullnameOverride" "the release's name" (ne .Values.fullnameOverride "") -}}
{{- if gt (len $name) 40 }}{{ fail (printf "%s: at most 40 characters" $whose) }}{{ end -}}
{{- if and .Values.rebuild.enabled (gt (len $name) 33) }}{{ fail (printf "%s: at most 33 characters with rebuild.enabled, for a CronJob's may have 52" $whose) }}{{ end -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) }}{{ fail (printf "%s: a letter, then letters, digits and hyphens, as its Services are named after it" $whose) }}{{ end -}}
{{ $name }}
{{- end }}

{{- define "connecte.image" -}}
{{- $registry := .Values.image.registry -}}
{{- with (.Values.global | default dict).imageRegistry }}{{ if $registry }}{{ $registry = . }}{{ end }}{{ end -}}
{{- with .Values.image -}}
{{ with $registry }}{{ trimSuffix "/" . }}/{{ end }}{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{/* What selects; never changes in the life of a release. */}}
{{- define "connecte.selector" -}}
app.kubernetes.io/name: {{ .root.Values.nameOverride | default .root.Chart.Name | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
{{- with .component }}
app.kubernetes.io/component: {{ . | quote }}
{{- end }}
{{- end }}

{{/* The chart's labels, those of commonLabels, those of the object (`labels`), and what selects. */}}
{{- define "connecte.labels" -}}
{{- $ours := dict "app.kubernetes.io/part-of" .root.Chart.Name "app.kubernetes.io/version" .root.Chart.AppVersion "app.kubernetes.io/managed-by" .root.Release.Service "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version) -}}
{{- mergeOverwrite $ours .root.Values.commonLabels (.labels | default dict) (include "connecte.selector" . | fromYaml) | toYaml -}}
{{- end }}

{{/* Of every object: root, name, and if it has them component, namespace, labels and annotations. */}}
{{- define "connecte.metadata" -}}
name: {{ .name | quote }}
namespace: {{ .namespace | default .root.Release.Namespace | quote }}
labels: {{- include "connecte.labels" . | nindent 2 }}
{{- with mergeOverwrite (dict) .root.Values.commonAnnotations (.annotations | default dict) }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Labels and annotations of a pod: `component`, and as `of` who says podLabels and podAnnotations. */}}
{{- define "connecte.podMetadata" -}}
labels: {{- include "connecte.labels" (dict "root" .root "component" .component "labels" .of.podLabels) | nindent 2 }}
{{- with .of.podAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The enabled services, each with what it does not say itself, as a JSON object by name. */}}
{{- define "connecte.services" -}}
{{- $found := dict -}}
{{- $given := .Values.services | default dict -}}
{{- range $name := list "feedback" "matching" "notify" "portal" "scheduling" -}}
{{- $own := get $given $name -}}
{{- if not (kindIs "map" $own) }}{{ fail (printf "services.%s: left empty, which takes away what it is by default; write {} for the defaults, or {enabled: false}" $name) }}{{ end -}}
{{- $service := mergeOverwrite (deepCopy $.Values.defaults) (deepCopy $own) -}}
{{- range $list := list "extraEnv" "extraEnvFrom" "extraVolumes" "extraVolumeMounts" "extraContainers" "initContainers" -}}
{{- $_ := set $service $list (concat (get $.Values.defaults $list) (get $own $list | default list) | default list) -}}
{{- end -}}
{{- if $service.enabled -}}{{- $_ := set $found $name $service -}}{{- end -}}
{{- end -}}
{{ $found | toJson }}
{{- end }}

{{/* A variable from a Secret: its name, then the key in it. */}}
{{- define "connecte.secretKey" -}}
{secretKeyRef: {name: {{ index . 0 | quote }}, key: {{ index . 1 | quote }}}}
{{- end }}

{{/* Who the services' pods are. */}}
{{- define "connecte.serviceAccount" -}}
{{- with .Values.serviceAccount -}}
{{ .name | default (ternary (include "connecte.name" $) "default" .create) }}
{{- end -}}
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
{{- with concat .Values.image.pullSecrets ((.Values.global | default dict).imagePullSecrets | default list) }}
imagePullSecrets:
  {{- range . }}
  - name: {{ ternary . (get (ternary (dict) . (kindIs "string" .)) "name") (kindIs "string" .) | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Where pods may run: those of a service, and those of hooks and tests like the defaults. */}}
{{- define "connecte.placement" -}}
{{- with .priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "connecte.containerSecurity" -}}
image: {{ include "connecte.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* Containers of somebody else, with what restricted pods need where they do not say it. */}}
{{- define "connecte.others" -}}
{{- range . }}
{{- $security := mergeOverwrite (dict "allowPrivilegeEscalation" false "capabilities" (dict "drop" (list "ALL"))) (.securityContext | default dict) }}
- {{- toYaml (set (deepCopy .) "securityContext" $security) | nindent 2 }}
{{- end }}
{{- end }}

{{/* An account at the broker, whole: from what is set, and from the KafkaUser if Strimzi makes it. */}}
{{- define "connecte.account" -}}
{{- $default := dict "secret" "" "username" "" "usernameKey" "" "passwordKey" "password" "certificateSecret" "" "certificateKey" "" "privateKeyKey" "" -}}
{{- $account := mergeOverwrite $default (deepCopy (.account | default dict)) -}}
{{- /* As `connecte topics access` names it. */ -}}
{{- $user := printf "mentoring-%s" .component -}}
{{- with regexReplaceAll "[^a-z0-9]+" (lower .root.Values.kafka.topicPrefix) "-" | trimAll "-" }}{{ $user = printf "%s-%s" . $user }}{{ end -}}
{{- $kafka := .root.Values.kafka -}}
{{- $keys := list "tls.crt" "tls.key" -}}
{{- if eq $kafka.management "strimzi" -}}
{{- $user = printf "%s-%s" (include "connecte.name" .root) .component -}}
{{- if eq $kafka.securityProtocol "SSL" -}}
{{- if not $account.certificateSecret }}{{ $_ := set $account "certificateSecret" $user }}{{ $keys = list "user.crt" "user.key" }}{{ end -}}
{{- else if not $account.secret }}{{ $_ := set $account "secret" $user }}
{{- else if not (or $account.username $account.usernameKey) }}{{ fail (printf "%s.username: needed beside %s.secret, which is not Strimzi's" .path .path) }}{{ end -}}
{{- end -}}
{{- if not $account.certificateKey }}{{ $_ := set $account "certificateKey" (first $keys) }}{{ end -}}
{{- if not $account.privateKeyKey }}{{ $_ := set $account "privateKeyKey" (last $keys) }}{{ end -}}
{{- if not (or $account.username $account.usernameKey) }}{{ $_ := set $account "username" $user }}{{ end -}}
{{- if and (contains "SASL" $kafka.securityProtocol) (not $account.secret) -}}
{{- fail (printf "%s.secret: needed with kafka.securityProtocol %s" .path $kafka.securityProtocol) -}}
{{- end -}}
{{ $account | toJson }}
{{- end }}

{{- define "connecte.kafkaEnv" -}}
{{- $kafka := .root.Values.kafka -}}
{{- $account := include "connecte.account" . | fromJson -}}
- name: KAFKA_BOOTSTRAP_SERVERS
  value: {{ $kafka.bootstrapServers | quote }}
{{- with $kafka.topicPrefix }}
- name: CONNECTE_TOPIC_PREFIX
  value: {{ . | quote }}
{{- end }}
- name: KAFKA_SECURITY_PROTOCOL
  value: {{ $kafka.securityProtocol }}
{{- if contains "SASL" $kafka.securityProtocol }}
- name: KAFKA_SASL_MECHANISM
  value: {{ $kafka.mechanism }}
- name: KAFKA_SASL_USERNAME
  {{- if $account.usernameKey }}
  valueFrom: {{ include "connecte.secretKey" (list $account.secret $account.usernameKey) }}
  {{- else }}
  value: {{ $account.username | quote }}
  {{- end }}
- name: KAFKA_SASL_PASSWORD
  valueFrom: {{ include "connecte.secretKey" (list $account.secret $account.passwordKey) }}
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
    secretName: {{ .from.secret | quote }}
  {{- else }}
  configMap:
    name: {{ .from.configMap | quote }}
  {{- end }}
    items: [{key: {{ .from.key | quote }}, path: ca.crt}]
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
    secretName: {{ . | quote }}
    # The key only for the group of the pod.
    defaultMode: 0440
    items:
      - {key: {{ $account.certificateKey | quote }}, path: tls.crt}
      - {key: {{ $account.privateKeyKey | quote }}, path: tls.key}
{{- end }}
{{- end }}
{{- end }}

{{/* Where Strimzi's resources are. */}}
{{- define "connecte.strimziNamespace" -}}
{{ .Values.kafka.strimzi.namespace | default .Release.Namespace }}
{{- end }}

{{/* Host and path of a service's pages, as a JSON object. Fails where a page cannot be led to. */}}
{{- define "connecte.address" -}}
{{- $url := index .root.Values.urls .component -}}
{{- if not $url }}{{ fail (printf "urls.%s: needed for its pages" .component) }}{{ end -}}
{{- $parsed := urlParse $url -}}
{{- if regexMatch "^([0-9.]+|\\[.*\\])(:[0-9]+)?$" $parsed.host }}{{ fail (printf "urls.%s: a name with ingress, httpRoute or route, not an address" .component) }}{{ end -}}
{{ dict "host" (regexReplaceAll ":[0-9]+$" $parsed.host "") "path" $parsed.path | toJson }}
{{- end }}

{{/* Services that something leads to from outside, as a JSON array. */}}
{{- define "connecte.reached" -}}
{{- $found := list "matching" "scheduling" "feedback" "portal" -}}
{{- range .Values.ingress.hosts }}{{ range .paths }}{{ $found = append $found .service }}{{ end }}{{ end -}}
{{ $found | uniq | toJson }}
{{- end }}
