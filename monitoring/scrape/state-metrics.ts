// The state of objects as metrics, under the names of kube-state-metrics, so that its dashboards and rules apply. Own
// names begin with `orrery_`. Pure.
import type {
  Container,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Node,
  Service,
  StatefulSet,
} from "../../api/generated/types.ts";
import { serviceLabel } from "../../api/discovery/endpointslices.ts";
import type { Pod } from "../../api/core/pods.ts";
import { milliOf, unitsOf } from "../../api/quantity.ts";

type LabelPairs = Readonly<Record<string, string>>;
/** Takes one sample. */
export type Emit = (name: string, labels: LabelPairs, value: number) => void;

const resources: readonly (readonly [resource: string, unit: string, amountOf: (text: string) => number])[] = [
  ["cpu", "core", (text) => milliOf(text) / 1000],
  ["memory", "byte", unitsOf],
];
const phases = ["Pending", "Succeeded", "Failed", "Unknown", "Running"];
const statuses = ["true", "false", "unknown"];
const lower = (text: string | undefined): string => (text ?? "unknown").toLowerCase();

/** The revision of the template that a pod was made from. */
const revisionOf = ({ metadata: { labels = {} } }: Pod): string =>
  labels["pod-template-hash"] ?? labels["controller-revision-hash"] ?? "";

function containerMetrics(of: LabelPairs, { name: container, image = "", resources: r }: Container, emit: Emit): void {
  emit("kube_pod_container_info", { ...of, container, image }, 1);
  for (const [kind, amounts] of [
    ["requests", r?.requests],
    ["limits", r?.limits],
  ] as const)
    for (const [resource, unit, amountOf] of resources) {
      const amount = amounts?.[resource];
      if (amount !== undefined)
        emit(`kube_pod_container_resource_${kind}`, { ...of, container, resource, unit }, amountOf(amount));
    }
}

export function podMetrics(pod: Pod, emit: Emit): void {
  const { namespace = "", name, uid, ownerReferences = [] } = pod.metadata;
  const of = { namespace, pod: name, uid };
  const owner = ownerReferences.find(({ controller }) => controller === true);
  const { nodeName: node = "", containers } = pod.spec;
  const { phase = "Unknown", podIP = "", conditions = [], containerStatuses = [] } = pod.status ?? {};
  const created = { created_by_kind: owner?.kind ?? "", created_by_name: owner?.name ?? "" };
  emit("kube_pod_info", { ...of, node, pod_ip: podIP, ...created }, 1);
  const images = containers.map(({ image = "" }) => image).join(",");
  emit("orrery_pod_version", { namespace, pod: name, revision: revisionOf(pod), images }, 1);
  for (const each of phases) emit("kube_pod_status_phase", { ...of, phase: each }, Number(each === phase));
  const ready = lower(conditions.find(({ type }) => type === "Ready")?.status);
  for (const each of statuses) emit("kube_pod_status_ready", { ...of, condition: each }, Number(each === ready));
  for (const container of containers) containerMetrics(of, container, emit);
  for (const { name: container, restartCount, state, lastState } of containerStatuses) {
    emit("kube_pod_container_status_restarts_total", { ...of, container }, restartCount);
    const reason = state?.waiting?.reason;
    if (reason) emit("kube_pod_container_status_waiting_reason", { ...of, container, reason }, 1);
    const ended = lastState?.terminated?.reason;
    if (ended) emit("kube_pod_container_status_last_terminated_reason", { ...of, container, reason: ended }, 1);
  }
}

export function nodeMetrics({ metadata, spec, status }: Node, emit: Emit): void {
  const of = { node: metadata.name };
  emit("kube_node_info", { ...of, kubelet_version: status?.nodeInfo?.kubeletVersion ?? "" }, 1);
  emit("kube_node_spec_unschedulable", of, Number(spec.unschedulable === true));
  for (const { type: condition, status: found } of status?.conditions ?? [])
    for (const each of statuses)
      emit("kube_node_status_condition", { ...of, condition, status: each }, Number(each === lower(found)));
  for (const [kind, amounts] of [
    ["capacity", status?.capacity],
    ["allocatable", status?.allocatable],
  ] as const)
    for (const [resource, unit, amountOf] of [...resources, ["pods", "integer", unitsOf] as const]) {
      const amount = amounts?.[resource];
      if (amount !== undefined) emit(`kube_node_status_${kind}`, { ...of, resource, unit }, amountOf(amount));
    }
}

export function deploymentMetrics({ metadata, spec, status }: Deployment, emit: Emit): void {
  const of = { namespace: metadata.namespace ?? "", deployment: metadata.name };
  emit("kube_deployment_spec_replicas", of, spec.replicas ?? 1);
  emit("kube_deployment_status_replicas", of, status?.replicas ?? 0);
  emit("kube_deployment_status_replicas_ready", of, status?.readyReplicas ?? 0);
  emit("kube_deployment_status_replicas_available", of, status?.availableReplicas ?? 0);
  emit("kube_deployment_status_replicas_updated", of, status?.updatedReplicas ?? 0);
}
export function statefulSetMetrics({ metadata, spec, status }: StatefulSet, emit: Emit): void {
  const of = { namespace: metadata.namespace ?? "", statefulset: metadata.name };
  emit("kube_statefulset_replicas", of, spec.replicas ?? 1);
  emit("kube_statefulset_status_replicas", of, status?.replicas ?? 0);
  emit("kube_statefulset_status_replicas_ready", of, status?.readyReplicas ?? 0);
}
export function daemonSetMetrics({ metadata, status }: DaemonSet, emit: Emit): void {
  const of = { namespace: metadata.namespace ?? "", daemonset: metadata.name };
  emit("kube_daemonset_status_desired_number_scheduled", of, status?.desiredNumberScheduled ?? 0);
  emit("kube_daemonset_status_number_ready", of, status?.numberReady ?? 0);
}

/** The pods that slices say are behind a service, each once; ready if one slice says so. */
function podsBehind(slices: readonly EndpointSlice[]): ReadonlyMap<string, boolean> {
  const found = new Map<string, boolean>();
  for (const slice of slices)
    for (const { targetRef, conditions } of slice.endpoints ?? [])
      if (targetRef?.kind === "Pod" && targetRef.name)
        found.set(targetRef.name, found.get(targetRef.name) === true || conditions?.ready !== false);
  return found;
}

/** How many pods should be behind a service; undefined for one that no workload is behind. */
export interface MeasuredService {
  readonly service: Service;
  readonly slices: readonly EndpointSlice[];
  readonly desired: number | undefined;
}
/** A service is up while one of its pods is ready. One without selector is up while it has an endpoint. */
export function serviceMetrics({ service, slices, desired }: MeasuredService, emit: Emit): void {
  const { metadata, spec } = service;
  const of = { namespace: metadata.namespace ?? "", service: metadata.name };
  emit("kube_service_info", { ...of, cluster_ip: spec.clusterIP ?? "" }, 1);
  if (spec.type === "ExternalName") return;
  const pods = podsBehind(slices);
  for (const [pod, isReady] of pods) emit("orrery_service_pod", { ...of, pod }, Number(isReady));
  const ready = [...pods.values()].filter(Boolean).length;
  const others = slices.flatMap(({ endpoints = [] }) => endpoints).filter((e) => e.targetRef?.kind !== "Pod").length;
  emit("orrery_service_up", of, Number(ready + others > 0));
  emit("orrery_service_pods_ready", of, ready);
  if (desired !== undefined) emit("orrery_service_pods_desired", of, desired);
}

/** The slices of each service, by `namespace/name`. */
export const slicesByService = (slices: readonly EndpointSlice[]): ReadonlyMap<string, readonly EndpointSlice[]> =>
  Map.groupBy(slices, ({ metadata }) => `${metadata.namespace}/${metadata.labels?.[serviceLabel]}`);
