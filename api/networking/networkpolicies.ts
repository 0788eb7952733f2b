// NetworkPolicy: who may talk to the pods it picks, and whom they may talk to.
import type { NetworkPolicy, NetworkPolicyPort } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { schemaOf } from "../schema.ts";
import { selectorText } from "../selector.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { policyWarnings, validateNetworkPolicy } from "./networkpolicies-validate.ts";

const overTcp = <R extends { readonly ports?: readonly NetworkPolicyPort[] }>(rules: readonly R[]): readonly R[] =>
  rules.map((r) => (r.ports ? { ...r, ports: r.ports.map((p) => ({ ...p, protocol: p.protocol ?? "TCP" })) } : r));

export const networkPolicies = define<NetworkPolicy>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
  shortNames: ["netpol"],
  scope: "Namespaced",
  published: "io.k8s.api.networking.v1.NetworkPolicy",
  schema: schemaOf("io.k8s.api.networking.v1.NetworkPolicy"),
  generation: "spec",
  defaults: (d) => {
    const { podSelector = {}, ingress, egress, policyTypes } = d.spec ?? {};
    return {
      ...d,
      spec: {
        ...d.spec,
        podSelector,
        ...(ingress && { ingress: overTcp(ingress) }),
        ...(egress && { egress: overTcp(egress) }),
        policyTypes: policyTypes?.length ? policyTypes : ["Ingress", ...(egress?.length ? ["Egress"] : [])],
      },
    };
  },
  validate: validateNetworkPolicy,
  warnings: policyWarnings,
  columns: [
    nameColumn,
    { name: "Pod-Selector", cell: (p) => selectorText(p.spec?.podSelector) || "<none>" },
    ageColumn,
  ],
});
