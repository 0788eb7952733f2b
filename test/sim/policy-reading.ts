// A naive reading of policies, in the words of their API reference: what may pass a node. It shares no code with what is
// tested.
import type {
  LabelSelector,
  Namespace,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  Pod,
} from "../../api/generated/types.ts";
import type { Packet } from "./packet-filter.ts";

/** The objects that a node knows. */
export interface PolicyObjects {
  readonly policies: readonly NetworkPolicy[];
  readonly namespaces: readonly Namespace[];
  readonly pods: readonly Pod[];
}

type Labels = Readonly<Record<string, string>>;
function picks({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels = {}): boolean {
  for (const name in matchLabels) if (labels[name] !== matchLabels[name]) return false;
  for (const { key, operator, values = [] } of matchExpressions) {
    const [has, isListed] = [key in labels, values.includes(labels[key] ?? "")];
    if (operator === "In" && !(has && isListed)) return false;
    if (operator === "NotIn" && has && isListed) return false;
    if (operator === "Exists" && !has) return false;
    if (operator === "DoesNotExist" && has) return false;
  }
  return true;
}

/** An address as a text of bits. */
function bitsOf(address: string): string {
  if (!address.includes(":"))
    return address
      .split(".")
      .map((part) => Number(part).toString(2).padStart(8, "0"))
      .join("");
  const [head = "", tail] = address.split("::").map((half) => half.split(":").filter(Boolean));
  const groups = tail ? [...head, ...Array(8 - head.length - tail.length).fill("0"), ...tail] : head;
  return [...groups].map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0")).join("");
}
const isIn = (block: string, address: string): boolean => {
  const [of = "", length] = block.split("/");
  if (of.includes(":") !== address.includes(":")) return false;
  return bitsOf(of).slice(0, Number(length)) === bitsOf(address).slice(0, Number(length));
};

const addressesOf = (pod: Pod): readonly string[] => (pod.status?.podIPs ?? []).flatMap(({ ip }) => ip ?? []);
/** Of pods that are shown with the same address, the newest has it. */
const podAt = (all: readonly Pod[], address: string): Pod | undefined =>
  all
    .filter(({ spec, status }) => !spec.hostNetwork && status?.phase !== "Succeeded" && status?.phase !== "Failed")
    .filter((pod) => addressesOf(pod).includes(address))
    .toSorted((a, b) =>
      `${a.metadata.creationTimestamp}/${a.metadata.uid}` < `${b.metadata.creationTimestamp}/${b.metadata.uid}`
        ? -1
        : 1,
    )
    .at(-1);

interface Peer {
  readonly address: string;
  readonly pod: Pod | undefined;
}
function isPeer(term: NetworkPolicyPeer, peer: Peer, own: NetworkPolicy, { namespaces }: PolicyObjects): boolean {
  const { ipBlock, podSelector, namespaceSelector } = term;
  if (ipBlock) return isIn(ipBlock.cidr, peer.address) && !ipBlock.except?.some((block) => isIn(block, peer.address));
  if (!peer.pod) return false;
  const { namespace, labels } = peer.pod.metadata;
  const its = namespaces.find(({ metadata }) => metadata.name === namespace);
  if (namespaceSelector) {
    if (!its || !picks(namespaceSelector, its.metadata.labels)) return false;
  } else if (namespace !== own.metadata.namespace) return false;
  return podSelector ? picks(podSelector, labels) : namespaceSelector !== undefined;
}

function isPort({ port, endPort, protocol = "TCP" }: NetworkPolicyPort, packet: Packet, destination: Pod | undefined) {
  if (packet.protocol !== protocol.toLowerCase()) return false;
  if (port === undefined) return true;
  if (typeof port === "number") return port <= packet.port && packet.port <= (endPort ?? port);
  const { containers = [], initContainers = [] } = destination?.spec ?? {};
  return [...containers, ...initContainers.filter((c) => c.restartPolicy === "Always")]
    .flatMap((c) => c.ports ?? [])
    .some((p) => p.name === port && (p.protocol ?? "TCP") === protocol && p.containerPort === packet.port);
}

function mayPass(pod: Pod, direction: "Ingress" | "Egress", packet: Packet, objects: PolicyObjects): boolean {
  const isolating = objects.policies.filter(({ metadata, spec }) => {
    const types = spec.policyTypes?.length ? spec.policyTypes : ["Ingress", ...(spec.egress?.length ? ["Egress"] : [])];
    return (
      metadata.namespace === pod.metadata.namespace &&
      picks(spec.podSelector ?? {}, pod.metadata.labels) &&
      types.includes(direction)
    );
  });
  if (isolating.length === 0) return true;
  const [from, to] = [packet.source, packet.destination].map((address) => ({
    address,
    pod: podAt(objects.pods, address),
  }));
  return isolating.some((policy) => {
    const rules =
      direction === "Ingress"
        ? (policy.spec.ingress ?? []).map((rule) => ({ ports: rule.ports, peers: rule.from, peer: from! }))
        : (policy.spec.egress ?? []).map((rule) => ({ ports: rule.ports, peers: rule.to, peer: to! }));
    return rules.some(
      ({ ports, peers, peer }) =>
        (!peers?.length || peers.some((term) => isPeer(term, peer, policy, objects))) &&
        (!ports?.length || ports.some((port) => isPort(port, packet, to!.pod))),
    );
  });
}

/** Whether a packet that opens or continues a connection may pass the node that these pods are on. */
export function mayForward(packet: Packet, objects: PolicyObjects, ownPods: readonly Pod[]): boolean {
  if (packet.source === packet.destination) return true;
  if (packet.state === "reply" || packet.state === "related") return true;
  const [sender, receiver] = [podAt(ownPods, packet.source), podAt(ownPods, packet.destination)];
  return (
    (!sender || mayPass(sender, "Egress", packet, objects)) &&
    (!receiver || mayPass(receiver, "Ingress", packet, objects))
  );
}
