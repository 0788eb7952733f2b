// The workloads of scheduler_perf that are measured, with its names, sizes and specs. Source: Kubernetes,
// test/integration/scheduler_perf, performance-config.yaml of each folder.
import type { Node, Pod } from "../../api/generated/types.ts";
import type { Draft } from "../../api/meta.ts";

export interface Workload {
  /** The test case and the workload of scheduler_perf. */
  readonly name: string;
  readonly nodes: number;
  /** The node with this number. */
  readonly node?: (i: number) => Draft<Node>;
  readonly initPods: number;
  readonly initPod?: (i: number) => Draft<Pod>;
  readonly measuredPods: number;
  readonly measuredPod?: (i: number) => Draft<Pod>;
  /** Pods created beside the measured ones, five a second. */
  readonly churn?: (i: number) => Draft<Pod>;
  /** Pods a second. */
  readonly atLeast: number;
}

/** How often a pod of the churn is created. */
export const churnMs = 200;
const zoneLabel = "topology.kubernetes.io/zone";
export const namespaces = ["sched-0", "sched-1"] as const;

/** A node of the usual size. */
export const nodeDraft = (i: number, labels: Readonly<Record<string, string>> = {}, pods = "110"): Draft<Node> => {
  const name = `node-${i}`;
  const resources = { pods, cpu: "4", memory: "32Gi" };
  return {
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } },
    spec: {},
    status: {
      ...{ capacity: resources, allocatable: resources },
      conditions: [{ type: "Ready", status: "True", reason: "KubeletReady" }],
    },
  };
};

interface PodOptions {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: Partial<Pod["spec"]>;
  readonly cpu?: string;
}
const makePod = ({ namespace = "default", labels, spec, cpu = "100m" }: PodOptions = {}): Draft<Pod> => {
  const resources = { cpu, memory: "500Mi" };
  return {
    kind: "Pod",
    metadata: { generateName: "pod-", namespace, ...(labels && { labels }) },
    spec: {
      containers: [
        {
          ...{ name: "pause", image: "registry.k8s.io/pause:3.10.2", ports: [{ containerPort: 80 }] },
          resources: { requests: resources, limits: resources },
        },
      ],
      ...spec,
    },
  };
};

/** A pod of the usual size. */
export const podDraft = (): Draft<Pod> => makePod();

const zones = (...names: readonly string[]): NonNullable<Workload["node"]> => {
  return (i) => nodeDraft(i, { [zoneLabel]: names[i % names.length]! });
};
/** A term that pods of this color fulfil, in a topology. */
const near = (color: string, topologyKey: string) => ({
  labelSelector: { matchLabels: { color } },
  ...{ topologyKey, namespaces },
});
const affine = (namespace: string): Draft<Pod> =>
  makePod({
    ...{ namespace, labels: { color: "blue" } },
    spec: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [near("blue", zoneLabel)] } } },
  });
const antiAffine = (namespace: string): Draft<Pod> => {
  const term = near("green", "kubernetes.io/hostname");
  return makePod({
    ...{ namespace, labels: { color: "green" } },
    spec: { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } },
  });
};
const inZones = (): Draft<Pod> => {
  const matchExpressions = [{ key: zoneLabel, operator: "In" as const, values: ["zone1", "zone2"] }];
  const required = { nodeSelectorTerms: [{ matchExpressions }] };
  return makePod({
    spec: { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } } },
  });
};
const spread = (): Draft<Pod> =>
  makePod({
    labels: { color: "blue" },
    spec: {
      topologySpreadConstraints: [
        {
          ...{ maxSkew: 5, topologyKey: zoneLabel, whenUnsatisfiable: "DoNotSchedule" },
          labelSelector: { matchLabels: { color: "blue" } },
        },
      ],
    },
  });
const daemonNode = "node-0";
const onDaemonNode = (): Draft<Pod> => {
  const matchFields = [{ key: "metadata.name", operator: "In" as const, values: [daemonNode] }];
  const required = { nodeSelectorTerms: [{ matchFields }] };
  const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } };
  return makePod({ spec: { affinity, containers: [{ name: "pause", image: "registry.k8s.io/pause:3.10.1" }] } });
};
const unfit = (): Draft<Pod> => makePod({ spec: { priority: 10 }, cpu: "9" });
const important = (): Draft<Pod> => makePod({ spec: { priority: 10 }, cpu: "3" });
const unimportant = (): Draft<Pod> => makePod({ spec: { terminationGracePeriodSeconds: 0 }, cpu: "900m" });

export const workloads: readonly Workload[] = [
  {
    name: "SchedulingBasic/5000Nodes_10000Pods",
    ...{ nodes: 5_000, initPods: 1_000, measuredPods: 10_000, atLeast: 1_500 },
  },
  {
    name: "TopologySpreading/5000Nodes_5000Pods",
    ...{ nodes: 5_000, node: zones("moon-1", "moon-2", "moon-3") },
    ...{ initPods: 5_000, measuredPods: 5_000, measuredPod: spread, atLeast: 1_000 },
  },
  {
    name: "SchedulingPodAffinity/5000Nodes_5000Pods",
    ...{ nodes: 5_000, node: zones("zone1"), initPods: 5_000, initPod: () => affine("sched-0") },
    ...{ measuredPods: 5_000, measuredPod: () => affine("sched-1"), atLeast: 500 },
  },
  {
    name: "SchedulingPodAntiAffinity/5000Nodes_2000Pods",
    ...{ nodes: 5_000, initPods: 1_000, initPod: () => antiAffine("sched-0") },
    ...{ measuredPods: 2_000, measuredPod: () => antiAffine("sched-1"), atLeast: 500 },
  },
  {
    name: "SchedulingNodeAffinity/5000Nodes_10000Pods",
    ...{ nodes: 5_000, node: zones("zone1"), initPods: 5_000, initPod: inZones },
    ...{ measuredPods: 10_000, measuredPod: inZones, atLeast: 1_200 },
  },
  {
    name: "Unschedulable/5kNodes/20kInit/10kPods",
    ...{ nodes: 5_000, initPods: 20_000, measuredPods: 10_000, churn: unfit, atLeast: 1_200 },
  },
  {
    name: "PreemptionAsync/5000Nodes",
    ...{ nodes: 5_000, initPods: 20_000, initPod: unimportant, measuredPods: 5_000, churn: important, atLeast: 700 },
  },
  {
    name: "SchedulingDaemonset/15000Nodes",
    ...{ nodes: 15_000, node: (i) => nodeDraft(i, {}, i === 0 ? "90000" : "110"), initPods: 0 },
    ...{ measuredPods: 30_000, measuredPod: onDaemonNode, atLeast: 1_500 },
  },
];
