// NetworkPolicy: the traffic that the selected pods may receive and send.
import { type Block, holdsAddress, parseBlock } from "../addresses.ts";
import { blockWarnings, validateLenientBlock } from "../addresses-validate.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import type { Problem } from "../errors.ts";
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { each, forbidden, inRange, invalid, none, required, together } from "../problems.ts";
import { selectorText } from "../selector.ts";

function validatePort({ port, endPort }: NetworkPolicyPort): readonly Problem[] {
  const refuse = (detail: string): readonly Problem[] => [invalid("endPort", endPort, detail)];
  if (endPort === undefined) return none;
  if (port === undefined) return refuse("may not be specified when `port` is not specified");
  if (typeof port === "string") return refuse("may not be specified when `port` is non-numeric");
  return together(
    endPort < port && refuse("must be greater than or equal to `port`"),
    inRange(endPort, "endPort", 1, 65_535),
  );
}

const validatePeer = ({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer): readonly Problem[] =>
  together(
    !podSelector && !namespaceSelector && !ipBlock && required("", "must specify a peer"),
    ipBlock && (podSelector ?? namespaceSelector) && forbidden("", "may not specify both ipBlock and another peer"),
  );

const isStrictSubset = (inner: Block, outer: Block): boolean =>
  holdsAddress(outer, inner.address) && outer.prefix < inner.prefix;

/** Every block of a policy, with its path. */
function blocksOf({ spec: { ingress = [], egress = [] } }: Pick<NetworkPolicy, "spec">) {
  const rules = [
    ...ingress.map(({ from = [] }, i) => [`spec.ingress[${i}].from`, from] as const),
    ...egress.map(({ to = [] }, i) => [`spec.egress[${i}].to`, to] as const),
  ];
  return rules.flatMap(([path, peers]) =>
    peers.flatMap(({ ipBlock }, i) => (ipBlock ? [[`${path}[${i}].ipBlock`, ipBlock] as const] : [])),
  );
}

/** `known` are the texts that the old policy has: they may stay although they would be refused today. */
function validateBlock({ cidr, except }: IPBlock, path: string, known: readonly string[]): readonly Problem[] {
  const outer = parseBlock(cidr);
  if (cidr === "") return none;
  return together(
    validateLenientBlock(cidr, `${path}.cidr`, known),
    outer &&
      each(except, `${path}.except`, (text, at) => {
        const inner = parseBlock(text);
        return together(
          validateLenientBlock(text, at, known),
          inner && !isStrictSubset(inner, outer) && invalid(at, text, "must be a strict subset of `cidr`"),
        );
      }),
  );
}

function validate(policy: Draft<NetworkPolicy>, old?: NetworkPolicy): readonly Problem[] {
  const { policyTypes: types = [] } = policy.spec;
  const known = old ? blocksOf(old).flatMap(([, { cidr, except = [] }]) => [cidr, ...except]) : [];
  return together(
    ...blocksOf(policy).map(([path, block]) => validateBlock(block, path, known)),
    types.length > 2 && invalid("spec.policyTypes", types, "may not specify more than two policyTypes"),
  );
}

export const networkPolicies = define<NetworkPolicy>({
  group: "networking.k8s.io",
  kind: "NetworkPolicy",
  shortNames: ["netpol"],
  scope: "Namespaced",
  generation: "spec",
  defaults: (d) => {
    const { egress, policyTypes } = d.spec;
    if (policyTypes?.length) return d;
    return { ...d, spec: { ...d.spec, policyTypes: egress?.length ? ["Ingress", "Egress"] : ["Ingress"] } };
  },
  rules: { NetworkPolicyPeer: validatePeer, NetworkPolicyPort: validatePort },
  validate,
  warnings: (policy) =>
    blocksOf(policy).flatMap(([path, { cidr, except = [] }]) => [
      ...blockWarnings(cidr, `${path}.cidr`),
      ...except.flatMap((text, i) => blockWarnings(text, `${path}.except[${i}]`)),
    ]),
  columns: [
    nameColumn,
    { name: "Pod-Selector", cell: (p) => selectorText(p.spec?.podSelector) || "<none>" },
    ageColumn,
  ],
});
