// NetworkPolicy: who may talk to the pods it picks, and whom they may talk to.
import type { NetworkPolicy } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { selectorText } from "../selector.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { policyWarnings, validateEndPort, validateNetworkPolicy } from "./networkpolicies-validate.ts";

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
  rules: { NetworkPolicyPort: validateEndPort },
  validate: validateNetworkPolicy,
  warnings: policyWarnings,
  columns: [
    nameColumn,
    { name: "Pod-Selector", cell: (p) => selectorText(p.spec?.podSelector) || "<none>" },
    ageColumn,
  ],
});
