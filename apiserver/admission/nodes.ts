// Nodes: a new one takes no pods before it is known to be ready, and pods know where in the world theirs is.
import type { Node, Pod, Taint } from "../../api/generated/types.ts";
import { nodes } from "../../api/core/nodes.ts";
import type { ApiObject } from "../../api/meta.ts";
import { objectOf } from "../registry/codec.ts";
import { prefixOf } from "../registry/selection.ts";
import type { Admission, Look } from "./admission.ts";

const unproven: Taint = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };

/** Kubernetes' TaintNodesByCondition. Who looks after nodes takes the taint away once the node is ready. */
export const unprovenNodes: Admission = {
  name: "TaintNodesByCondition",
  applies: (r) => r.group === "" && r.plural === "nodes",
  admit(object, { old }) {
    const node = object as Node | undefined;
    if (!node || old) return object;
    const { taints = [] } = node.spec ?? {};
    if (taints.some((t) => t.key === unproven.key && t.effect === unproven.effect)) return object;
    return { ...node, spec: { ...node.spec, taints: [...taints, unproven] } } as ApiObject;
  },
};

const places = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

async function placed(pod: Pod, look: Look): Promise<ApiObject> {
  const stored = (await look()).get(prefixOf(nodes) + pod.spec.nodeName!);
  const { labels = {} } = stored ? objectOf(stored).metadata : {};
  const told = places.filter((place) => labels[place] !== undefined).map((place) => [place, labels[place]!] as const);
  if (told.length === 0) return pod as ApiObject;
  const { metadata } = pod;
  return {
    ...pod,
    metadata: { ...metadata, labels: { ...metadata.labels, ...Object.fromEntries(told) } },
  } as ApiObject;
}

/** Kubernetes' PodTopologyLabels (KEP-4742): what a node says of its place, the pods that are given to it say too. */
export const podTopology: Admission = {
  name: "PodTopologyLabels",
  applies: (r) => r.group === "" && r.plural === "pods",
  // Most pods are not given to anybody yet.
  admit: (object, { old, part, look }) =>
    object && (object as Pod).spec?.nodeName && (!old || part === "binding") ? placed(object as Pod, look) : object,
};
