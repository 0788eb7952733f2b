// DaemonSet: runs one pod on every node that matches.
import type { DaemonSet, DaemonSetUpdateStrategy } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { templateDefaults } from "../core/pod/defaults.ts";
import { workload } from "../core/workloads.ts";
import { invalid, required, together } from "../problems.ts";
import { valuesOf } from "../schema.ts";
import { templateWarnings } from "../core/pod/warnings.ts";
import { ageColumn, containerColumns, labelsCell, nameColumn, selectorCell } from "../columns.ts";
import { numberIn, unknownStrategy } from "../int-or-percent.ts";
import { validateCollisions, validateWorkload } from "../core/workload-validate.ts";

export type { DaemonSet } from "../generated/types.ts";

/** Numbers of a rolling update. */
function strategy(s: DaemonSetUpdateStrategy): DaemonSetUpdateStrategy {
  if (s.type !== "RollingUpdate") return s;
  return { ...s, rollingUpdate: { maxUnavailable: 1, maxSurge: 0, ...s.rollingUpdate } };
}

const defaults = (d: Draft<DaemonSet>): Draft<DaemonSet> => {
  const { updateStrategy = {}, template } = d.spec;
  return { ...d, spec: { ...d.spec, updateStrategy: strategy(updateStrategy), template: templateDefaults(template) } };
};

function validateStrategy(s: DaemonSetUpdateStrategy | undefined): readonly Problem[] {
  if (s?.type === "OnDelete") return [];
  if (s?.type !== "RollingUpdate")
    return unknownStrategy(s, "spec.updateStrategy", valuesOf("io.k8s.api.apps.v1.DaemonSetUpdateStrategy", "type"));
  const { maxUnavailable, maxSurge } = s.rollingUpdate ?? {};
  const path = "spec.updateStrategy.rollingUpdate";
  const [down, up] = [numberIn(maxUnavailable) !== 0, numberIn(maxSurge) !== 0];
  return together(
    down && up && invalid(`${path}.maxSurge`, maxSurge, "may not be set when maxUnavailable is non-zero"),
    !down && !up && required(`${path}.maxUnavailable`, "cannot be 0 when maxSurge is 0"),
  );
}

export const daemonSets = define<DaemonSet>({
  ...workload,
  group: "apps",
  kind: "DaemonSet",
  shortNames: ["ds"],
  defaults,
  validate: (d, old) => [...validateWorkload(d, "DaemonSet", old), ...validateStrategy(d.spec.updateStrategy)],
  validateStatus: (next, old) => validateCollisions(next.status, old.status),
  warnings: (d) => templateWarnings(d.spec?.template, "spec.template"),
  columns: [
    nameColumn,
    { name: "Desired", type: "integer", cell: (d) => d.status?.desiredNumberScheduled ?? 0 },
    { name: "Current", type: "integer", cell: (d) => d.status?.currentNumberScheduled ?? 0 },
    { name: "Ready", type: "integer", cell: (d) => d.status?.numberReady ?? 0 },
    { name: "Up-to-date", type: "integer", cell: (d) => d.status?.updatedNumberScheduled ?? 0 },
    { name: "Available", type: "integer", cell: (d) => d.status?.numberAvailable ?? 0 },
    { name: "Node Selector", cell: (d) => labelsCell(d.spec.template.spec?.nodeSelector) },
    ageColumn,
    ...containerColumns((d: DaemonSet) => d.spec.template),
    { name: "Selector", priority: 1, cell: (d) => selectorCell(d.spec.selector) },
  ],
});
