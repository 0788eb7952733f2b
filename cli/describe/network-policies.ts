// Describes NetworkPolicies in sentences about what they allow.
import type {
  NetworkPolicy,
  NetworkPolicyEgressRule,
  NetworkPolicyIngressRule,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from "../../api/generated/types.ts";
import type { Describer } from "./describer.ts";
import { annotationLines, field, type Lines, labelLines, plainTimeText } from "./layout.ts";
import { selectorOrNone } from "./pods.ts";

const anything = `<${"any"}>`;

const portLine = ({ port, endPort, protocol = "TCP" }: NetworkPolicyPort): string =>
  endPort === undefined ? `To Port: ${port ?? "<nil>"}/${protocol}` : `To Port Range: ${port}-${endPort}/${protocol}`;

const portLines = (ports: readonly NetworkPolicyPort[] | undefined): Lines =>
  ports?.length ? ports.map(portLine) : [`To Port: ${anything} (traffic allowed to all ports)`];

function peerLines({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer): Lines {
  if (ipBlock) return ["IPBlock:", `  CIDR: ${ipBlock.cidr}`, `  Except: ${(ipBlock.except ?? []).join(", ")}`];
  return [
    ...(namespaceSelector ? [`NamespaceSelector: ${selectorOrNone(namespaceSelector)}`] : []),
    ...(podSelector ? [`PodSelector: ${selectorOrNone(podSelector)}`] : []),
  ];
}

function ruleLines(
  ports: readonly NetworkPolicyPort[] | undefined,
  peers: readonly NetworkPolicyPeer[] | undefined,
  direction: "From" | "To",
): Lines {
  const anywhere = direction === "From" ? "source" : "destination";
  return [
    ...portLines(ports),
    ...(peers?.length
      ? peers.flatMap((peer) => [`${direction}:`, ...peerLines(peer).map((line) => `  ${line}`)])
      : [`${direction}: ${anything} (traffic not restricted by ${anywhere})`]),
  ];
}

/** Rules, separated by a line. */
function directionLines(rules: readonly Lines[], direction: "ingress" | "egress"): Lines {
  if (rules.length === 0) return [`    <none> (Selected pods are isolated for ${direction} connectivity)`];
  return rules.flatMap((rule, i) => [...(i === 0 ? [] : ["    ----------"]), ...rule.map((line) => `    ${line}`)]);
}

const ingressRule = ({ ports, from }: NetworkPolicyIngressRule): Lines => ruleLines(ports, from, "From");
const egressRule = ({ ports, to }: NetworkPolicyEgressRule): Lines => ruleLines(ports, to, "To");

export const networkPolicyDescriber: Describer<NetworkPolicy> = {
  hasNoEvents: true,
  lines: ({ metadata, spec = {} as NonNullable<NetworkPolicy["spec"]> }) => {
    const { policyTypes = [], ingress = [], egress = [] } = spec;
    const selector = selectorOrNone(spec.podSelector);
    const pods =
      selector === "<none>" ? "<none> (Allowing the specific traffic to all pods in this namespace)" : selector;
    const section = (type: "Ingress" | "Egress", rules: readonly Lines[]): Lines => {
      const direction = type === "Ingress" ? "ingress" : "egress";
      if (!policyTypes.includes(type)) return [`  Not affecting ${direction} traffic`];
      return [`  Allowing ${direction} traffic:`, ...directionLines(rules, direction)];
    };
    return [
      field("Name", metadata.name),
      field("Namespace", metadata.namespace),
      field("Created on", plainTimeText(metadata.creationTimestamp)),
      ...labelLines("Labels", metadata.labels),
      ...annotationLines(metadata.annotations),
      "Spec:",
      `  PodSelector:     ${pods}`,
      ...section("Ingress", ingress.map(ingressRule)),
      ...section("Egress", egress.map(egressRule)),
      `  Policy Types: ${policyTypes.join(", ")}`,
    ];
  },
};
