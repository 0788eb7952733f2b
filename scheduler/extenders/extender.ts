// Extenders: other processes that filter and score nodes, give up pods and bind, over HTTP. Source: the Go module
// k8s.io/kube-scheduler, package extender/v1.
import type { Pod } from "../../api/generated/types.ts";
import { type Rejection, unresolvable, unschedulable } from "../framework.ts";
import type { NodeInfo, PodInfo } from "../node-info.ts";
import type { ExtenderConfig } from "./extender-config.ts";

/** Sends a request and returns the body of its response as JSON; throws when it is not answered with 200. */
export type Send = (verb: string, body: object, signal: AbortSignal) => Promise<unknown>;

/** What an extender makes of the nodes that passed before. */
export interface ExtenderVerdicts {
  readonly passed: ReadonlySet<string>;
  /** Reasons against others, by node name. One that is in neither was dropped without a reason. */
  readonly rejections: ReadonlyMap<string, Rejection>;
}
/** Pods that have to leave a node, and how many of them a disruption budget protects. */
export interface Victims {
  readonly pods: readonly PodInfo[];
  readonly violations: number;
}

export interface Extender {
  /** The prefix of its URLs. */
  readonly name: string;
  /** Its errors are ignored. */
  readonly isIgnorable: boolean;
  /** It looks after a resource that the pod requests, or after all pods. */
  isInterestedIn(pod: Pod): boolean;
  readonly filters: boolean;
  readonly binds: boolean;
  readonly preempts: boolean;
  filter(pod: Pod, nodes: readonly NodeInfo[], signal: AbortSignal): Promise<ExtenderVerdicts>;
  /** Weighted scores by node name, on the scale of a plugin. */
  prioritize(pod: Pod, nodes: readonly NodeInfo[], signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
  bind(pod: Pod, nodeName: string, signal: AbortSignal): Promise<void>;
  /** The victims the extender agrees to; undefined when it does not want the node. */
  preempt(pod: Pod, node: NodeInfo, victims: Victims, signal: AbortSignal): Promise<readonly PodInfo[] | undefined>;
}

/** Scores of extenders go to 10, those of plugins to 100. */
const scale = 10;
/** A field of a response. Go reads names without regard to case, and extenders rely on it. */
function field(object: unknown, name: string): unknown {
  if (typeof object !== "object" || object === null) return undefined;
  const lowerCase = name.toLowerCase();
  return Object.entries(object).find(([key]) => key.toLowerCase() === lowerCase)?.[1] ?? undefined;
}
const textField = (object: unknown, name: string): string => String(field(object, name) ?? "");
const listField = (object: unknown, name: string): readonly unknown[] | undefined => {
  const value = field(object, name);
  return Array.isArray(value) ? value : undefined;
};
const mapField = (object: unknown, name: string): Readonly<Record<string, unknown>> =>
  (field(object, name) ?? {}) as Readonly<Record<string, unknown>>;

const isRequestedIn = ({ spec }: Pod, names: ReadonlySet<string>): boolean =>
  [...spec.containers, ...(spec.initContainers ?? [])].some(({ resources = {} }) =>
    [resources.requests, resources.limits].some((amounts) =>
      Object.keys(amounts ?? {}).some((name) => names.has(name)),
    ),
  );

/** Nodes as they are sent: by name to an extender that keeps its own view of nodes, else the objects. */
function sentNodes(nodes: readonly NodeInfo[], isCacheCapable: boolean): object {
  return isCacheCapable
    ? { Nodes: null, NodeNames: nodes.map(({ name }) => name) }
    : { Nodes: { metadata: {}, items: nodes.map(({ node }) => node) }, NodeNames: null };
}

/** The nodes that passed by a response to the filter verb. Throws the error in it. */
function passedNodes(response: unknown, nodes: readonly NodeInfo[], isCacheCapable: boolean, name: string) {
  const error = textField(response, "Error");
  if (error !== "") throw new Error(error);
  const names = listField(response, "NodeNames");
  if (!isCacheCapable || names === undefined) {
    const items = listField(field(response, "Nodes"), "items") ?? [];
    return new Set(items.map((node) => textField(field(node, "metadata"), "name")));
  }
  const sent = new Set(nodes.map((node) => node.name));
  const foreign = names.find((node) => !sent.has(String(node)));
  if (foreign !== undefined)
    throw new Error(
      `extender "${name}" claims a filtered node "${String(foreign)}" which is not found in the input node list`,
    );
  return new Set(names.map(String));
}

function rejectionsIn(response: unknown): ReadonlyMap<string, Rejection> {
  const all = new Map<string, Rejection>();
  for (const [node, reason] of Object.entries(mapField(response, "FailedNodes")))
    all.set(node, unschedulable(String(reason)));
  for (const [node, reason] of Object.entries(mapField(response, "FailedAndUnresolvableNodes")))
    all.set(node, unresolvable(String(reason)));
  return all;
}

/** The victims in a response to the preempt verb, named by their UIDs. Throws for pods that are not there. */
function victimsIn(response: unknown, node: NodeInfo, { name, isIgnorable }: Pick<Extender, "name" | "isIgnorable">) {
  const own = mapField(response, "NodeNameToMetaVictims")[node.name];
  if (own === undefined) return undefined;
  const onNode = new Map([...node.pods.values()].map((info) => [info.pod.metadata.uid, info]));
  const victims = (listField(own, "Pods") ?? []).map((pod) => {
    const uid = textField(pod, "UID");
    const found = onNode.get(uid as never);
    if (found) return found;
    throw new Error(
      `extender: ${name} claims to preempt pod (UID: &{${uid}}) on node: ${node.name}, but the pod is not found on that node`,
    );
  });
  if (victims.length > 0) return victims;
  if (isIgnorable) return undefined;
  throw new Error(`expected at least one victim pod on node "${node.name}"`);
}

/** An extender that is called through `send`. */
export function httpExtender(config: ExtenderConfig, send: Send): Extender {
  const { urlPrefix: name = "", filterVerb = "", prioritizeVerb = "", bindVerb = "", preemptVerb = "" } = config;
  const { weight = 0, nodeCacheCapable: isCacheCapable = false, ignorable: isIgnorable = false } = config;
  const managed = new Set((config.managedResources ?? []).map((resource) => resource.name ?? ""));
  return {
    ...{ name, isIgnorable, filters: filterVerb !== "", binds: bindVerb !== "", preempts: preemptVerb !== "" },
    isInterestedIn: (pod) => managed.size === 0 || isRequestedIn(pod, managed),
    async filter(pod, nodes, signal) {
      if (filterVerb === "") return { passed: new Set(nodes.map((node) => node.name)), rejections: new Map() };
      const response = await send(filterVerb, { Pod: pod, ...sentNodes(nodes, isCacheCapable) }, signal);
      return { passed: passedNodes(response, nodes, isCacheCapable, name), rejections: rejectionsIn(response) };
    },
    async prioritize(pod, nodes, signal) {
      if (prioritizeVerb === "") return new Map();
      const response = await send(prioritizeVerb, { Pod: pod, ...sentNodes(nodes, isCacheCapable) }, signal);
      const list = Array.isArray(response) ? response : [];
      return new Map(
        list.map((item) => [textField(item, "Host"), Number(field(item, "Score") ?? 0) * weight * scale] as const),
      );
    },
    async bind({ metadata }, nodeName, signal) {
      const { name: PodName, namespace: PodNamespace, uid: PodUID } = metadata;
      const response = await send(bindVerb, { PodName, PodNamespace, PodUID, Node: nodeName }, signal);
      const error = textField(response, "Error");
      if (error !== "") throw new Error(error);
    },
    async preempt(pod, node, { pods, violations: NumPDBViolations }, signal) {
      const full = { Pods: pods.map((info) => info.pod), NumPDBViolations };
      const uids = { Pods: pods.map((info) => ({ UID: info.pod.metadata.uid })), NumPDBViolations };
      const body = {
        Pod: pod,
        NodeNameToVictims: isCacheCapable ? null : { [node.name]: full },
        NodeNameToMetaVictims: isCacheCapable ? { [node.name]: uids } : null,
      };
      return victimsIn(await send(preemptVerb, body, signal), node, { name, isIgnorable });
    },
  };
}
