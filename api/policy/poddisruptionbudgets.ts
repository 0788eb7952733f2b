// PodDisruptionBudget: how many pods of a set may be taken away at once by somebody who could also wait.
import type { PodDisruptionBudget } from "../generated/types.ts";
import { validateConditions } from "../conditions-validate.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validateSubdomainName } from "../names.ts";
import { invalid, notNegative, unsupported } from "../problems.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { validateShare } from "../int-or-percent.ts";
import { validateLabelSelector } from "../selector-validate.ts";

export type { PodDisruptionBudget } from "../generated/types.ts";

const evictionPolicies = ["AlwaysAllow", "IfHealthyBudget"];

function validate({ metadata, spec }: Draft<PodDisruptionBudget>): readonly Problem[] {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec;
  return [
    ...validateSubdomainName(metadata.name, "metadata.name"),
    ...(minAvailable !== undefined && maxUnavailable !== undefined
      ? [invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")]
      : []),
    ...validateShare(minAvailable, "spec.minAvailable", 100),
    ...validateShare(maxUnavailable, "spec.maxUnavailable", 100),
    ...(selector ? validateLabelSelector(selector, "spec.selector") : []),
    ...(policy === undefined || evictionPolicies.includes(policy)
      ? []
      : [unsupported("spec.unhealthyPodEvictionPolicy", policy, evictionPolicies)]),
  ];
}

const none = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
const counts = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] as const;

export const podDisruptionBudgets = define<PodDisruptionBudget>({
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  shortNames: ["pdb"],
  scope: "Namespaced",
  allowUnconditionalUpdate: false,
  subresources: ["status"],
  published: "io.k8s.api.policy.v1.PodDisruptionBudget",
  schema: schemaOf("io.k8s.api.policy.v1.PodDisruptionBudget"),
  generation: "spec",
  defaults: (d) => ({ ...d, spec: d.spec ?? {}, status: { ...none, ...d.status } }),
  validate,
  validateStatus: ({ status }) => [
    ...validateConditions(status?.conditions, "status.conditions"),
    ...counts.flatMap((field) => notNegative(status?.[field], `status.${field}`)),
  ],
  columns: [
    nameColumn,
    { name: "Min Available", cell: (b) => String(b.spec.minAvailable ?? "N/A") },
    { name: "Max Unavailable", cell: (b) => String(b.spec.maxUnavailable ?? "N/A") },
    { name: "Allowed Disruptions", type: "integer", cell: (b) => b.status?.disruptionsAllowed ?? 0 },
    ageColumn,
  ],
});
