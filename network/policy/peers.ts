// The named sets that rules refer to: addresses of selected pods, and pods' ports of one name. Policies that select the
// same share a set. Pure.
import { createHash } from "node:crypto";
import type { Pod } from "../../api/generated/types.ts";
import { canonicalJson } from "../../api/hash.ts";
import { type Labels, type LabelSelectorLike, selects } from "../../api/selector.ts";
import { protocols } from "./blocks.ts";
import type { SetType } from "./table.ts";

/** What a set holds. */
export type PeerSet =
  | { readonly of: "pods"; readonly namespace: string; readonly podSelector: LabelSelectorLike }
  | {
      readonly of: "pods in namespaces";
      readonly namespaceSelector: LabelSelectorLike;
      readonly podSelector: LabelSelectorLike;
    }
  | { readonly of: "ports"; readonly name: string; readonly protocol: keyof typeof protocols };

/**
 * A name in nftables. Users choose what it is made from, so it is a cryptographic hash: two contents must not
 * have one name, since one namespace's policies would then apply the rules of another.
 */
export const uniqueName = (prefix: string, content: unknown): string =>
  `${prefix}_${createHash("sha256").update(canonicalJson(content)).digest("hex").slice(0, 20)}`;

export const setName = (set: PeerSet): string => uniqueName(set.of === "ports" ? "ports" : "pods", set);
export const setType = (set: PeerSet): SetType => (set.of === "ports" ? "address and port" : "address");

/** Labels by which a set is found for a pod: one that all its pods have, or their namespaces. */
const requiredLabel = ({ matchLabels = {} }: LabelSelectorLike): string =>
  (Object.entries(matchLabels)[0] ?? []).join("=");

/** Under which name {@link keysOfPod} finds a set: every pod of the set has the key. */
export function keyOfSet(set: PeerSet): string {
  if (set.of === "ports") return `port ${set.name}`;
  if (set.of === "pods") return `${set.namespace}/${requiredLabel(set.podSelector)}`;
  const label = requiredLabel(set.namespaceSelector);
  return label === "" ? `*/${requiredLabel(set.podSelector)}` : `in ${label}`;
}

interface NamedPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}
/** The named ports of the containers that run as long as the pod does. */
function namedPorts({ spec: { containers, initContainers = [] } }: Pod): readonly NamedPort[] {
  const lasting = [...containers, ...initContainers.filter((c) => c.restartPolicy === "Always")];
  return lasting.flatMap(({ ports = [] }) =>
    ports.flatMap(({ name, protocol = "TCP", containerPort: port }) => (name ? [{ name, protocol, port }] : [])),
  );
}

const pairs = (labels: Labels): readonly string[] => Object.entries(labels).map(([name, value]) => `${name}=${value}`);

/** Under which keys the sets may be found that a pod is in. */
export function keysOfPod(pod: Pod, namespaceLabels: Labels | undefined): readonly string[] {
  const { namespace, labels = {} } = pod.metadata;
  const own = ["", ...pairs(labels)];
  return [
    ...own.map((label) => `${namespace}/${label}`),
    ...own.map((label) => `*/${label}`),
    ...pairs(namespaceLabels ?? {}).map((label) => `in ${label}`),
    ...new Set(namedPorts(pod).map(({ name }) => `port ${name}`)),
  ];
}

/** The elements of a set for a pod with this address. Of a namespace that is not known, no selector selects pods. */
export function elementsOf(
  set: PeerSet,
  address: string,
  pod: Pod,
  namespaceLabels: Labels | undefined,
): readonly string[] {
  if (set.of === "ports")
    return namedPorts(pod)
      .filter(({ name, protocol }) => name === set.name && protocol === set.protocol)
      .map(({ port }) => `${address} . ${protocols[set.protocol]} . ${port}`);
  const isInNamespace =
    set.of === "pods"
      ? pod.metadata.namespace === set.namespace
      : namespaceLabels !== undefined && selects(set.namespaceSelector, namespaceLabels);
  return isInNamespace && selects(set.podSelector, pod.metadata.labels) ? [address] : [];
}
