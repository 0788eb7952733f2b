// What the autoscaler decides from, and the state of each node in it: usable, coming, leaving, or never arrived. Pure.
import { conditionOf, isTerminal } from "../../api/core/pod/status.ts";
import type { DaemonSet, Node, PersistentVolume, Pod, PodDisruptionBudget, Taint } from "../../api/generated/types.ts";
import { type ApiObject, controllerOf, type Instant, instant, instantOf, keyOf } from "../../api/meta.ts";
import type { Occupancy, ProvidedNode, Settings, Simulation } from "./ports.ts";

/** What is remembered between decisions. Losing it only delays removals. */
export interface History {
  /** When a node of the provider was first seen. */
  readonly firstSeen: ReadonlyMap<string, Instant>;
  /** Since when a node could be removed. */
  readonly unneededSince: ReadonlyMap<string, Instant>;
  /** The last message about a pod that no node is added for, by uid. */
  readonly refused: ReadonlyMap<string, string>;
  readonly addedAt?: Instant;
  readonly addFailedAt?: Instant;
  readonly removeFailedAt?: Instant;
}
export const noHistory: History = { firstSeen: new Map(), unneededSince: new Map(), refused: new Map() };

export interface Observed {
  readonly pods: readonly Pod[];
  readonly nodes: readonly Node[];
  readonly budgets: readonly PodDisruptionBudget[];
  readonly daemonSets: readonly DaemonSet[];
  readonly volumes: readonly PersistentVolume[];
  readonly provided: readonly ProvidedNode[];
  readonly history: History;
  /** The object that events about the node group are recorded for. */
  readonly status: ApiObject;
}

/** The taint of a node that is being removed; its value is the time in seconds. */
const taintKey = "ToBeDeletedByClusterAutoscaler";
const isMark = ({ key }: Taint): boolean => key === taintKey;

/** Since when a node is marked for removal. */
export function markedAt({ spec }: Node): Instant | undefined {
  const mark = spec.taints?.find(isMark);
  return mark && instant(Number(mark.value ?? 0) * 1000);
}
/** The taints of a node with the mark, or without it. */
export const markedTaints = ({ spec }: Node, at: Instant): readonly Taint[] => [
  ...(spec.taints ?? []),
  { key: taintKey, value: String(Math.floor(at / 1000)), effect: "NoSchedule" },
];
export const unmarkedTaints = ({ spec }: Node): readonly Taint[] => (spec.taints ?? []).filter((t) => !isMark(t));
/** The node without the mark. */
export const unmarked = (node: Node): Node => ({ ...node, spec: { ...node.spec, taints: [...unmarkedTaints(node)] } });

/** Ready, and known to be: the taint of a node that was not is removed a moment after its condition has changed. */
export const isNodeReady = ({ spec, status }: Node): boolean =>
  conditionOf(status?.conditions, "Ready")?.status === "True" &&
  !spec.taints?.some(({ key }) => key === "node.kubernetes.io/not-ready");

const hostname = "kubernetes.io/hostname";
/** A node as the template describes it. */
export const newNode = ({ template }: Settings, name: string): Node => ({
  ...template,
  metadata: { ...template.metadata, name, labels: { ...template.metadata.labels, [hostname]: name } },
});

/** The nodes of a cluster by what they are for the autoscaler. */
export interface NodeStates {
  /** Nodes that take pods, and those that are coming as they will be; and the pods on them. */
  readonly usable: Occupancy;
  /** Names of added nodes that are not ready for the first time yet. */
  readonly coming: readonly string[];
  /** Added nodes that are ready, or were. */
  readonly removable: readonly Node[];
  /** Added nodes that are marked for removal. */
  readonly leaving: readonly Node[];
  /** Names of added nodes that were not registered in time. */
  readonly missing: readonly string[];
  /** Marked nodes that the provider has removed. */
  readonly orphaned: readonly Node[];
}

/** The pods of daemon sets that a node does not run yet. */
function missingDaemons({ pods, daemonSets }: Observed, node: Node, simulation: Simulation): readonly Pod[] {
  const present = new Set(pods.filter((p) => p.spec.nodeName === node.metadata.name).map((p) => controllerOf(p)?.uid));
  return simulation.daemonPods(daemonSets, node).filter((p) => !present.has(controllerOf(p)?.uid));
}

/** Whether a node that is not ready is still starting for the first time. */
const isStarting = (node: Node, { provisionMs }: Settings, now: Instant): boolean =>
  !isNodeReady(node) && now - instantOf(node.metadata.creationTimestamp) < provisionMs;

/** Everything a decision depends on. */
export interface Situation {
  readonly observed: Observed;
  readonly nodeStates: NodeStates;
  readonly simulation: Simulation;
  readonly settings: Settings;
  readonly now: Instant;
}

/** Sorts the nodes of the cluster. */
export function nodeStatesOf({ observed, simulation, settings, now }: Omit<Situation, "nodeStates">): NodeStates {
  const { nodes, pods, provided, history } = observed;
  const byName = new Map(nodes.map((node) => [node.metadata.name, node]));
  const known = new Set(provided.map(({ name }) => name));
  const added = provided.filter((node) => node.added).map(({ name }) => name);
  const absent = added.filter((name) => !byName.has(name));
  const late = (name: string): boolean => now - (history.firstSeen.get(name) ?? now) >= settings.provisionMs;
  const present = added.flatMap((name) => byName.get(name) ?? []);
  const leaving = present.filter((node) => markedAt(node) !== undefined);
  const starting = present.filter((node) => !leaving.includes(node) && isStarting(node, settings, now));
  const coming = [...absent.filter((name) => !late(name)), ...starting.map(({ metadata }) => metadata.name)];
  const arriving = coming.map((name) => newNode(settings, name));
  const daemons = arriving.flatMap((node) => missingDaemons(observed, node, simulation));
  return {
    usable: {
      nodes: [...nodes.filter((node) => !starting.includes(node) && markedAt(node) === undefined), ...arriving],
      pods: [...pods.filter((p) => p.spec.nodeName !== undefined && !isTerminal(p)), ...daemons],
    },
    ...{ coming, leaving },
    removable: present.filter((node) => !leaving.includes(node) && !starting.includes(node)),
    missing: absent.filter(late),
    orphaned: nodes.filter((node) => markedAt(node) !== undefined && !known.has(node.metadata.name)),
  };
}

/** The first pods by name, and how many more there are. */
export const names = (pods: readonly Pod[]): string =>
  pods.length > 3
    ? `${pods.slice(0, 3).map(keyOf).join(", ")} and ${pods.length - 3} more`
    : pods.map(keyOf).join(", ");
