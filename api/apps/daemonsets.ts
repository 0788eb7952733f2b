// DaemonSet: one pod on every node that suits it.
import type { DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { templateDefaults } from "../core/pod/defaults.ts";
import { invalid, notNegative, required, unchanged } from "../problems.ts";
import { templateWarnings } from "../core/pod/warnings.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, containersColumn, imagesColumn, labelsCell, nameColumn, selectorCell } from "../columns.ts";
import { numberIn, unknownStrategy, validateShare } from "../int-or-percent.ts";
import { validateCounts, validateWorkload } from "../core/workload-validate.ts";

export type { DaemonSet } from "../generated/types.ts";

const strategy = (given: DaemonSetUpdateStrategy | undefined): DaemonSetUpdateStrategy => {
  const type = given?.type || "RollingUpdate";
  if (type !== "RollingUpdate") return { ...given, type };
  return { type, rollingUpdate: { maxUnavailable: 1, maxSurge: 0, ...given?.rollingUpdate } };
};

function defaults(d: Draft<DaemonSet>): Draft<DaemonSet> {
  const given: Partial<DaemonSetSpec> = d.spec ?? {};
  const spec = {
    ...given,
    updateStrategy: strategy(given.updateStrategy),
    revisionHistoryLimit: given.revisionHistoryLimit ?? 10,
    ...(given.template ? { template: templateDefaults(given.template) } : {}),
  } as DaemonSetSpec;
  const none = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };
  return { ...d, spec, status: { ...none, ...d.status } };
}

function validateStrategy(s: DaemonSetUpdateStrategy | undefined): readonly Problem[] {
  if (s?.type === "OnDelete") return [];
  if (s?.type !== "RollingUpdate") return unknownStrategy(s, "spec.updateStrategy", ["RollingUpdate", "OnDelete"]);
  const { maxUnavailable, maxSurge } = s.rollingUpdate ?? {};
  const path = "spec.updateStrategy.rollingUpdate";
  const [down, up] = [numberIn(maxUnavailable) !== 0, numberIn(maxSurge) !== 0];
  return [
    ...validateShare(maxUnavailable, `${path}.maxUnavailable`, 100),
    ...validateShare(maxSurge, `${path}.maxSurge`, 100),
    ...(down && up ? [invalid(`${path}.maxSurge`, maxSurge, "may not be set when maxUnavailable is non-zero")] : []),
    ...(down || up ? [] : [required(`${path}.maxUnavailable`, "cannot be 0 when maxSurge is 0")]),
  ];
}

const counts = [
  "currentNumberScheduled",
  "numberMisscheduled",
  "desiredNumberScheduled",
  "numberReady",
  "observedGeneration",
  "updatedNumberScheduled",
  "numberAvailable",
  "numberUnavailable",
  "collisionCount",
] as const;

export const daemonSets = define<DaemonSet>({
  group: "apps",
  version: "v1",
  kind: "DaemonSet",
  plural: "daemonsets",
  shortNames: ["ds"],
  categories: ["all"],
  scope: "Namespaced",
  subresources: ["status"],
  published: "io.k8s.api.apps.v1.DaemonSet",
  schema: schemaOf("io.k8s.api.apps.v1.DaemonSet"),
  generation: "spec",
  defaults,
  validate: (d, old) => [
    ...validateWorkload(d, "DaemonSet", old),
    ...validateStrategy(d.spec.updateStrategy),
    ...notNegative(d.spec.revisionHistoryLimit, "spec.revisionHistoryLimit"),
    ...(old ? unchanged(d.spec.selector, old.spec.selector, "spec.selector") : []),
  ],
  validateStatus: (next, old) => validateCounts(counts, next.status, old.status),
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
    containersColumn,
    imagesColumn,
    { name: "Selector", priority: 1, cell: (d) => selectorCell(d.spec.selector) },
  ],
});
