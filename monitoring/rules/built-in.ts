// The rules that every cluster has, in Prometheus' format.

export const builtInRules = `
groups:
- name: services
  rules:
  - alert: ServiceDown
    expr: orrery_service_up == 0 and on (namespace, service) orrery_service_pods_desired > 0
    for: 1m
    labels: {severity: critical}
    annotations:
      summary: 'service {{ $labels.namespace }}/{{ $labels.service }} has no pod that is ready'
  - alert: ServiceDegraded
    expr: orrery_service_pods_ready < on (namespace, service) orrery_service_pods_desired and on (namespace, service) orrery_service_up == 1
    for: 5m
    labels: {severity: warning}
    annotations:
      summary: 'only {{ $value }} pods of service {{ $labels.namespace }}/{{ $labels.service }} are ready'
  - alert: HighErrorRate
    expr: |
      sum by (namespace, service) (rate({__name__=~"http_requests_total|http_request_duration_seconds_count|http_server_requests_seconds_count",status=~"5.."}[5m]) * on (namespace, pod) group_left (service) (orrery_service_pod >= bool 0)
        or rate({__name__=~"http_requests_total|http_request_duration_seconds_count",code=~"5.."}[5m]) * on (namespace, pod) group_left (service) (orrery_service_pod >= bool 0))
      / sum by (namespace, service) (rate({__name__=~"http_requests_total|http_request_duration_seconds_count|http_server_requests_seconds_count"}[5m]) * on (namespace, pod) group_left (service) (orrery_service_pod >= bool 0))
      > 0.05
    for: 2m
    labels: {severity: critical}
    annotations:
      summary: '{{ $value | humanizePercentage }} of the requests to service {{ $labels.namespace }}/{{ $labels.service }} fail'
  - alert: HighLatency
    expr: |
      histogram_quantile(0.99, sum by (namespace, service, le) (rate(http_request_duration_seconds_bucket[5m]) * on (namespace, pod) group_left (service) (orrery_service_pod >= bool 0))) > 1
    for: 5m
    labels: {severity: warning}
    annotations:
      summary: 'one request of 100 to service {{ $labels.namespace }}/{{ $labels.service }} takes more than {{ $value | humanizeDuration }}'
- name: pods
  rules:
  - alert: PodCrashLooping
    expr: |
      max by (namespace, pod, container) (increase(kube_pod_container_status_restarts_total[10m])) > 2
      or max by (namespace, pod, container) (kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"}) == 1
    for: 1m
    labels: {severity: warning}
    annotations:
      summary: 'container {{ $labels.container }} of pod {{ $labels.namespace }}/{{ $labels.pod }} restarts again and again'
  - alert: PodNotReady
    expr: kube_pod_status_ready{condition="true"} == 0 and on (namespace, pod) kube_pod_status_phase{phase=~"Pending|Running|Unknown"} == 1
    for: 15m
    labels: {severity: warning}
    annotations:
      summary: 'pod {{ $labels.namespace }}/{{ $labels.pod }} is not ready'
  - alert: PodNearMemoryLimit
    expr: |
      sum by (namespace, pod, container) (container_memory_working_set_bytes)
      / sum by (namespace, pod, container) (kube_pod_container_resource_limits{resource="memory"}) > 0.9
    for: 5m
    labels: {severity: warning}
    annotations:
      summary: 'container {{ $labels.container }} of pod {{ $labels.namespace }}/{{ $labels.pod }} uses {{ $value | humanizePercentage }} of its memory limit'
  - alert: MetricsUnreadable
    expr: up{job="kubernetes-pods"} == 0
    for: 5m
    labels: {severity: info}
    annotations:
      summary: 'pod {{ $labels.namespace }}/{{ $labels.pod }} says that it has metrics, and they cannot be read'
- name: nodes
  rules:
  - alert: NodeNotReady
    expr: kube_node_status_condition{condition="Ready",status="true"} == 0
    for: 1m
    labels: {severity: critical}
    annotations:
      summary: 'node {{ $labels.node }} is not ready'
  - alert: NodeFull
    expr: |
      node_memory_working_set_bytes / on (node) kube_node_status_allocatable{resource="memory"} > 0.9
    for: 5m
    labels: {severity: warning}
    annotations:
      summary: 'node {{ $labels.node }} uses {{ $value | humanizePercentage }} of its memory'
  - alert: NodeUnderPressure
    expr: kube_node_status_condition{condition=~"MemoryPressure|DiskPressure|PIDPressure",status="true"} == 1
    for: 1m
    labels: {severity: warning}
    annotations:
      summary: 'node {{ $labels.node }} reports {{ $labels.condition }}'
`;
