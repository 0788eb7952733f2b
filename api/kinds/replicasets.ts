// ReplicaSet: this many pods of this template, always.
import type { ReplicaSet } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import { templateDefaults } from "../pod/defaults.ts";
import { workloadWarnings } from "../pod/warnings.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, containersColumn, imagesColumn, nameColumn, selectorCell } from "./columns.ts";
import { validateCounts, validateNotAbove, validateWorkload } from "./workload-validate.ts";
import { unchanged } from "../problems.ts";

export type { ReplicaSet } from "../generated/types.ts";

/** What is wrong with what a set of replicas is said to have come to. */
export function validateReplicaStatus({ status }: Pick<ReplicaSet, "status">): readonly Problem[] {
  const parts = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"] as const;
  return [
    ...validateCounts(["replicas", ...parts, "observedGeneration"], status, undefined),
    ...validateNotAbove(parts, status, "replicas", "cannot be greater than status.replicas"),
    ...validateNotAbove(["availableReplicas"], status, "readyReplicas", "cannot be greater than readyReplicas"),
  ];
}

export const replicaSets = define<ReplicaSet>({
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
  shortNames: ["rs"],
  categories: ["all"],
  scope: "Namespaced",
  subresources: ["status", "scale"],
  published: "io.k8s.api.apps.v1.ReplicaSet",
  schema: schemaOf("io.k8s.api.apps.v1.ReplicaSet"),
  generation: "spec",
  defaults: (d) => ({
    ...d,
    spec: {
      ...d.spec,
      replicas: d.spec?.replicas ?? 1,
      ...(d.spec?.template ? { template: templateDefaults(d.spec.template) } : {}),
    },
    status: { replicas: 0, ...d.status },
  }),
  validate: (s, old) => [
    ...validateWorkload(s, "ReplicaSet", old),
    ...(old ? unchanged(s.spec.selector, old.spec.selector, "spec.selector") : []),
  ],
  warnings: (s) => workloadWarnings(s),
  validateStatus: validateReplicaStatus,
  selectable: { "status.replicas": (s) => String(s.status?.replicas ?? 0) },
  columns: [
    nameColumn,
    { name: "Desired", type: "integer", cell: (s) => s.spec.replicas ?? 0 },
    { name: "Current", type: "integer", cell: (s) => s.status?.replicas ?? 0 },
    { name: "Ready", type: "integer", cell: (s) => s.status?.readyReplicas ?? 0 },
    ageColumn,
    containersColumn,
    imagesColumn,
    { name: "Selector", priority: 1, cell: (s) => selectorCell(s.spec.selector) },
  ],
});
