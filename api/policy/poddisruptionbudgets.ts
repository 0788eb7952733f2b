// PodDisruptionBudget: how many pods of a set may be unavailable at once because of voluntary disruptions.
import type { PodDisruptionBudget } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { invalid, none } from "../problems.ts";
import { ageColumn, nameColumn } from "../columns.ts";

export type { PodDisruptionBudget } from "../generated/types.ts";

export const podDisruptionBudgets = define<PodDisruptionBudget>({
  group: "policy",
  kind: "PodDisruptionBudget",
  shortNames: ["pdb"],
  scope: "Namespaced",
  allowUnconditionalUpdate: false,
  subresources: ["status"],
  generation: "spec",
  validate: ({ spec }) =>
    spec.minAvailable !== undefined && spec.maxUnavailable !== undefined
      ? [invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")]
      : none,
  columns: [
    nameColumn,
    { name: "Min Available", cell: (b) => String(b.spec.minAvailable ?? "N/A") },
    { name: "Max Unavailable", cell: (b) => String(b.spec.maxUnavailable ?? "N/A") },
    { name: "Allowed Disruptions", type: "integer", cell: (b) => b.status?.disruptionsAllowed ?? 0 },
    ageColumn,
  ],
});
