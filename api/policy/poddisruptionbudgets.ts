// PodDisruptionBudget: how many pods of a set may be taken away at once by somebody who could also wait.
import type { PodDisruptionBudget } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { invalid } from "../problems.ts";
import { ageColumn, nameColumn } from "../columns.ts";

export type { PodDisruptionBudget } from "../generated/types.ts";

const validate = ({ spec }: Draft<PodDisruptionBudget>): readonly Problem[] =>
  spec.minAvailable !== undefined && spec.maxUnavailable !== undefined
    ? [invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")]
    : [];

export const podDisruptionBudgets = define<PodDisruptionBudget>({
  group: "policy",
  kind: "PodDisruptionBudget",
  shortNames: ["pdb"],
  scope: "Namespaced",
  allowUnconditionalUpdate: false,
  subresources: ["status"],
  generation: "spec",
  validate,
  columns: [
    nameColumn,
    { name: "Min Available", cell: (b) => String(b.spec.minAvailable ?? "N/A") },
    { name: "Max Unavailable", cell: (b) => String(b.spec.maxUnavailable ?? "N/A") },
    { name: "Allowed Disruptions", type: "integer", cell: (b) => b.status?.disruptionsAllowed ?? 0 },
    ageColumn,
  ],
});
