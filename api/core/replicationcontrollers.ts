// ReplicationController: the predecessor of ReplicaSet, with equality selectors only.
import type { PodTemplateSpec, ReplicationController, ReplicationControllerSpec } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { templateDefaults } from "./pod/defaults.ts";
import { labelsCell } from "../columns.ts";
import { replicaWorkload } from "./workloads.ts";
import { validateRunningTemplate } from "./workload-validate.ts";

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
  ...replicaWorkload<ReplicationController>((c) => labelsCell(c.spec.selector)),
  group: "",
  kind: "ReplicationController",
  shortNames: ["rc"],
  defaults,
  validate,
});
