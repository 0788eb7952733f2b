// ReplicaSet: keeps a number of pods of one template running.
import type { ReplicaSet } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { templateDefaults } from "../core/pod/defaults.ts";
import { workloadWarnings } from "../core/pod/warnings.ts";
import { ageColumn, containerColumns, nameColumn, selectorCell } from "../columns.ts";
import { validateReplicaStatus, validateWorkload } from "../core/workload-validate.ts";
import { podRules } from "../core/pod/rules.ts";

export type { ReplicaSet } from "../generated/types.ts";

export const replicaSets = define<ReplicaSet>({
  group: "apps",
  kind: "ReplicaSet",
  shortNames: ["rs"],
  categories: ["all"],
  scope: "Namespaced",
  subresources: ["status", "scale"],
  generation: "spec",
  defaults: (d) => ({ ...d, spec: { ...d.spec, template: d.spec.template && templateDefaults(d.spec.template) } }),
  rules: podRules,
  validate: (s, old) => validateWorkload(s, "ReplicaSet", old),
  warnings: (s) => workloadWarnings(s),
  validateStatus: validateReplicaStatus,
  selectable: { "status.replicas": (s) => String(s.status?.replicas ?? 0) },
  columns: [
    nameColumn,
    { name: "Desired", type: "integer", cell: (s) => s.spec.replicas ?? 0 },
    { name: "Current", type: "integer", cell: (s) => s.status?.replicas ?? 0 },
    { name: "Ready", type: "integer", cell: (s) => s.status?.readyReplicas ?? 0 },
    ageColumn,
    ...containerColumns((s: ReplicaSet) => s.spec.template),
    { name: "Selector", priority: 1, cell: (s) => selectorCell(s.spec.selector) },
  ],
});
