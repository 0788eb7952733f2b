// The rules of one policy for one direction, and the sets they refer to. Pure. Source: the API reference of
// networking.k8s.io.
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, Pod } from "../../api/generated/types.ts";
import { selects } from "../../api/selector.ts";
import type { Family } from "./addresses.ts";
import { blockMatch, portMatches } from "./blocks.ts";
import { type PeerSet, setName } from "./peers.ts";

export type Direction = "ingress" | "egress";
export const directions: readonly Direction[] = ["ingress", "egress"];

/** Whether a policy isolates a pod in this direction. */
export function isolates({ metadata, spec }: NetworkPolicy, pod: Pod, direction: Direction): boolean {
  const { podSelector = {}, policyTypes = [], egress = [] } = spec ?? {};
  const applies =
    policyTypes.length > 0
      ? policyTypes.includes(direction === "ingress" ? "Ingress" : "Egress")
      : direction === "ingress" || egress.length > 0;
  return applies && metadata.namespace === pod.metadata.namespace && selects(podSelector, pod.metadata.labels);
}

/** Rules that accept what a policy allows, and the sets they refer to by name. */
export interface PolicyRules {
  readonly rules: readonly string[];
  readonly sets: ReadonlyMap<string, PeerSet>;
}

/** A rule of either direction. */
interface Rule {
  readonly peers?: readonly NetworkPolicyPeer[] | undefined;
  readonly ports?: readonly NetworkPolicyPort[] | undefined;
}
const rulesFor = ({ spec }: NetworkPolicy, direction: Direction): readonly Rule[] =>
  direction === "ingress"
    ? (spec?.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
    : (spec?.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));

function peerSet({ podSelector, namespaceSelector }: NetworkPolicyPeer, namespace: string): PeerSet | undefined {
  if (namespaceSelector) return { of: "pods in namespaces", namespaceSelector, podSelector: podSelector ?? {} };
  return podSelector && { of: "pods", namespace, podSelector };
}

/** The rules of a policy. Ports of a name are those of the pod that a packet is sent to, in both directions. */
export function policyRules(policy: NetworkPolicy, direction: Direction, family: Family): PolicyRules {
  const { namespace = "" } = policy.metadata;
  const address = `${family} ${direction === "ingress" ? "saddr" : "daddr"}`;
  const sets = new Map<string, PeerSet>();
  const referTo = (set: PeerSet): string => {
    const name = setName(set);
    sets.set(name, set);
    return `@${name}`;
  };
  const peerMatch = (peer: NetworkPolicyPeer): readonly string[] => {
    if (peer.ipBlock) return [blockMatch(peer.ipBlock, address, family) ?? []].flat();
    const set = peerSet(peer, namespace);
    return set ? [`${address} ${referTo(set)}`] : [];
  };
  const named = ({ port, protocol = "TCP" }: NetworkPolicyPort): readonly string[] =>
    typeof port === "string"
      ? [`${family} daddr . meta l4proto . th dport ${referTo({ of: "ports", name: port, protocol })}`]
      : [];
  const rules = rulesFor(policy, direction).flatMap(({ peers = [], ports = [] }) => {
    const peerMatches = peers.length === 0 ? [""] : peers.flatMap(peerMatch);
    const matches = ports.length === 0 ? [""] : [...portMatches(ports), ...new Set(ports.flatMap(named))];
    return peerMatches.flatMap((peer) => matches.map((port) => [peer, port, "accept"].filter(Boolean).join(" ")));
  });
  return { rules: [...new Set(rules)], sets };
}
