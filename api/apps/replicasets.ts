// ReplicaSet: keeps a number of pods of one template running.
import type { ReplicaSet } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { templateDefaults } from "../core/pod/defaults.ts";
import { selectorCell } from "../columns.ts";
import { replicaWorkload } from "../core/workloads.ts";
import { validateWorkload } from "../core/workload-validate.ts";

export type { ReplicaSet } from "../generated/types.ts";

export const replicaSets = define<ReplicaSet>({
  ...replicaWorkload<ReplicaSet>((s) => selectorCell(s.spec.selector)),
  group: "apps",
  kind: "ReplicaSet",
  shortNames: ["rs"],
  defaults: (d) => ({ ...d, spec: { ...d.spec, template: d.spec.template && templateDefaults(d.spec.template) } }),
  validate: (s, old) => validateWorkload(s, "ReplicaSet", old),
});
