// Nodes: a new one takes no pods before it is known to be ready, and pods know where in the world theirs is.
import type { Node, Pod, Taint } from "../../api/generated/types.ts";
import { nodes } from "../../api/core/nodes.ts";
import type { ApiObject } from "../../api/meta.ts";
import { objectOf } from "../registry/codec.ts";
import { prefixOf } from "../registry/selection.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "../registry/admission.ts";

const unproven: Taint = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };

/** Kubernetes' TaintNodesByCondition. Who looks after nodes takes the taint away once the node is ready. */
export const unprovenNodes: AdmissionPlugin = {
  name: "TaintNodesByCondition",
  operations: ["CREATE"],
  handles: (r) => r.group === "" && r.plural === "nodes",
  mutate(object) {
    const node = object as Node;
    const { taints = [] } = node.spec ?? {};
    if (taints.some((t) => t.key === unproven.key && t.effect === unproven.effect)) return object;
    return { ...node, spec: { ...node.spec, taints: [...taints, unproven] } } as ApiObject;
  },
};

const places = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

async function placed(pod: Pod, present: AdmissionAttributes["present"]): Promise<ApiObject> {
  const stored = (await present()).get(prefixOf(nodes) + pod.spec.nodeName!);
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
export const podTopology: AdmissionPlugin = {
  name: "PodTopologyLabels",
  operations: ["CREATE", "UPDATE"],
  handles: (r) => r.group === "" && r.plural === "pods",
  // Most pods are not given to anybody yet.
  mutate: (object, { old, subresource, present }) =>
    (object as Partial<Pod>).spec?.nodeName && (!old || subresource === "binding")
      ? placed(object as Pod, present)
      : object,
};
