// What can be wrong with a network policy, and what is taken although others may read it differently.
import { type Block, holdsAddress, parseBlock } from "../addresses.ts";
import { blockWarnings, validateOldBlock } from "../addresses-validate.ts";
import type { Problem } from "../errors.ts";
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { forbidden, inRange, invalid, required } from "../problems.ts";

/** A range of ports begins with a number. */
export function validateEndPort({ port, endPort }: NetworkPolicyPort, at: string): readonly Problem[] {
  const path = `${at}.endPort`;
  if (endPort === undefined) return [];
  if (port === undefined) return [invalid(path, endPort, "may not be specified when `port` is not specified")];
  if (typeof port === "string") return [invalid(path, endPort, "may not be specified when `port` is non-numeric")];
  return [
    ...(endPort < port ? [invalid(path, endPort, "must be greater than or equal to `port`")] : []),
    ...inRange(endPort, path, 1, 65_535),
  ];
}

/** Whether everything of `inner` is in `outer`, and not everything of `outer` in it. */
const isPartOf = (inner: Block, outer: Block): boolean =>
  holdsAddress(outer, inner.address) && outer.prefix < inner.prefix;

function validateIpBlock(block: IPBlock, path: string, known: readonly string[]): readonly Problem[] {
  if (!block.cidr) return [];
  const range = parseBlock(block.cidr);
  return [
    ...validateOldBlock(block.cidr, `${path}.cidr`, known),
    ...(range ? (block.except ?? []) : []).flatMap((text, i) => {
      const at = `${path}.except[${i}]`;
      const part = parseBlock(text);
      return [
        ...validateOldBlock(text, at, known),
        ...(part && !isPartOf(part, range!) ? [invalid(at, text, "must be a strict subset of `cidr`")] : []),
      ];
    }),
  ];
}

function validatePeer(peer: NetworkPolicyPeer, path: string, known: readonly string[]): readonly Problem[] {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  return [
    ...(ipBlock ? validateIpBlock(ipBlock, `${path}.ipBlock`, known) : []),
    ...(podSelector || namespaceSelector || ipBlock ? [] : [required(path, "must specify a peer")]),
    ...(ipBlock && (podSelector || namespaceSelector)
      ? [forbidden(path, "may not specify both ipBlock and another peer")]
      : []),
  ];
}

interface Rule {
  readonly path: string;
  readonly peers: readonly NetworkPolicyPeer[];
  /** What the list of peers is called. */
  readonly side: "from" | "to";
}

/** Both directions, told alike. */
const rulesOf = ({ spec }: Draft<NetworkPolicy>): readonly Rule[] => [
  ...(spec?.ingress ?? []).map((r, i) => ({
    path: `spec.ingress[${i}]`,
    peers: r.from ?? [],
    side: "from" as const,
  })),
  ...(spec?.egress ?? []).map((r, i) => ({
    path: `spec.egress[${i}]`,
    peers: r.to ?? [],
    side: "to" as const,
  })),
];

/** Every block a policy speaks of, with the field it stands in. */
const blocksOf = (policy: Draft<NetworkPolicy>): readonly (readonly [path: string, text: string])[] =>
  rulesOf(policy).flatMap(({ path, peers, side }) =>
    peers.flatMap(({ ipBlock }, i) =>
      ipBlock
        ? [
            [`${path}.${side}[${i}].ipBlock.cidr`, ipBlock.cidr] as const,
            ...(ipBlock.except ?? []).map((text, j) => [`${path}.${side}[${i}].ipBlock.except[${j}]`, text] as const),
          ]
        : [],
    ),
  );

export function validateNetworkPolicy(policy: Draft<NetworkPolicy>, old?: NetworkPolicy): readonly Problem[] {
  const { policyTypes: types = [] } = policy.spec;
  // A block that stood there before may stay, whatever is thought of it today.
  const known = old ? blocksOf(old as unknown as Draft<NetworkPolicy>).map(([, text]) => text) : [];
  return [
    ...rulesOf(policy).flatMap(({ path, peers, side }) =>
      peers.flatMap((p, i) => validatePeer(p, `${path}.${side}[${i}]`, known)),
    ),
    ...(types.length > 2 ? [invalid("spec.policyTypes", types, "may not specify more than two policyTypes")] : []),
  ];
}

export const policyWarnings = (policy: Draft<NetworkPolicy>): readonly string[] =>
  blocksOf(policy).flatMap(([path, text]) => blockWarnings(text, path));
