// ReplicationController: the predecessor of ReplicaSet, with equality selectors only.
import type { PodTemplateSpec, ReplicationController, ReplicationControllerSpec } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { templateDefaults } from "./pod/defaults.ts";
import { podRules } from "./pod/rules.ts";
import { workloadWarnings } from "./pod/warnings.ts";
import { ageColumn, containerColumns, labelsCell, nameColumn } from "../columns.ts";
import { validateReplicaStatus, validateRunningTemplate } from "./workload-validate.ts";

export type { ReplicationController } from "../generated/types.ts";

const isEmpty = (map: object | undefined): boolean => Object.keys(map ?? {}).length === 0;

/** The labels and the selector default to the labels of the template. */
function defaults(d: Draft<ReplicationController>): Draft<ReplicationController> {
  const spec: Partial<ReplicationControllerSpec> = d.spec ?? {};
  const labels = spec.template?.metadata?.labels;
  return {
    ...d,
    metadata: isEmpty(d.metadata.labels) && labels ? { ...d.metadata, labels } : d.metadata,
    spec: {
      ...spec,
      ...(isEmpty(spec.selector) && labels ? { selector: labels } : {}),
      ...(spec.template ? { template: templateDefaults(spec.template as PodTemplateSpec) } : {}),
    },
  };
}

const validate = ({ spec }: Draft<ReplicationController>): readonly Problem[] =>
  spec.template
    ? validateRunningTemplate(spec.template, { matchLabels: spec.selector ?? {} }, "ReplicationController")
    : [];

export const replicationControllers = define<ReplicationController>({
  group: "",
  kind: "ReplicationController",
  shortNames: ["rc"],
  categories: ["all"],
  scope: "Namespaced",
  subresources: ["status", "scale"],
  generation: "spec",
  defaults,
  rules: podRules,
  validate,
  warnings: (c) => workloadWarnings(c),
  validateStatus: validateReplicaStatus,
  selectable: { "status.replicas": (c) => String(c.status?.replicas ?? 0) },
  columns: [
    nameColumn,
    { name: "Desired", type: "integer", cell: (c) => c.spec.replicas ?? 0 },
    { name: "Current", type: "integer", cell: (c) => c.status?.replicas ?? 0 },
    { name: "Ready", type: "integer", cell: (c) => c.status?.readyReplicas ?? 0 },
    ageColumn,
    ...containerColumns((c: ReplicationController) => c.spec.template),
    { name: "Selector", priority: 1, cell: (c) => labelsCell(c.spec.selector) },
  ],
});
