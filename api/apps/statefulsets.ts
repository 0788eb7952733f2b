// StatefulSet: pods with stable names and storage, created in order.
import type { StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { templateDefaults } from "../core/pod/defaults.ts";
import { workloadWarnings } from "../core/pod/warnings.ts";
import { ageColumn, containerColumns, nameColumn } from "../columns.ts";
import { scalableWorkload } from "../core/workloads.ts";
import { validateStatefulSet, validateStatefulSetStatus } from "./statefulsets-validate.ts";

export type { StatefulSet } from "../generated/types.ts";

/** A rolling update gets its partition where it is present, or where no strategy was set at all. */
function strategy(update: StatefulSetUpdateStrategy | undefined): StatefulSetUpdateStrategy {
  const type = update?.type || "RollingUpdate";
  const rolling = update?.rollingUpdate ?? (update?.type ? undefined : {});
  if (type !== "RollingUpdate" || !rolling) return { ...update, type };
  return { type, rollingUpdate: { ...rolling, partition: rolling.partition ?? 0 } };
}

/** A claim template is stored with its type. */
type Claim = NonNullable<StatefulSetSpec["volumeClaimTemplates"]>[number];
const claimTemplate = (claim: Claim): Claim => ({ ...claim, apiVersion: "v1", kind: "PersistentVolumeClaim" });

function defaults(d: Draft<StatefulSet>): Draft<StatefulSet> {
  const { template, volumeClaimTemplates: claims } = d.spec;
  const spec = { ...d.spec, updateStrategy: strategy(d.spec.updateStrategy), template: templateDefaults(template) };
  return { ...d, spec: { ...spec, ...(claims && { volumeClaimTemplates: claims.map(claimTemplate) }) } };
}

export const statefulSets = define<StatefulSet>({
  ...scalableWorkload,
  group: "apps",
  kind: "StatefulSet",
  shortNames: ["sts"],
  defaults,
  validate: validateStatefulSet,
  warnings: (s) => [
    ...workloadWarnings(s),
    ...((s.spec?.revisionHistoryLimit ?? 0) < 0
      ? ["spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"]
      : []),
  ],
  validateStatus: validateStatefulSetStatus,
  columns: [
    nameColumn,
    { name: "Ready", cell: (s) => `${s.status?.readyReplicas ?? 0}/${s.spec.replicas ?? 0}` },
    ageColumn,
    ...containerColumns((s: StatefulSet) => s.spec.template),
  ],
});
