// StatefulSet: pods that keep their name and their storage, made one after another.
import type { StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { templateDefaults } from "../core/pod/defaults.ts";
import { workloadWarnings } from "../core/pod/warnings.ts";
import { ageColumn, containersColumn, imagesColumn, nameColumn } from "../columns.ts";
import { podRules } from "../core/pod/rules.ts";
import { validateStatefulSet, validateStatefulSetStatus } from "./statefulsets-validate.ts";

export type { StatefulSet } from "../generated/types.ts";

/** Numbers of a rolling update are filled in where there are any, or where nothing at all was said of updates. */
function strategy(update: StatefulSetUpdateStrategy | undefined): StatefulSetUpdateStrategy {
  const type = update?.type || "RollingUpdate";
  const rolling = update?.rollingUpdate ?? (update?.type ? undefined : {});
  if (type !== "RollingUpdate" || !rolling) return { ...update, type };
  return { type, rollingUpdate: { ...rolling, partition: rolling.partition ?? 0 } };
}

/** A template of claims is written as a whole claim. */
const claimTemplate = (
  claim: NonNullable<StatefulSetSpec["volumeClaimTemplates"]>[number],
): NonNullable<StatefulSetSpec["volumeClaimTemplates"]>[number] => ({
  ...claim,
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
});

function defaults(d: Draft<StatefulSet>): Draft<StatefulSet> {
  const { template, volumeClaimTemplates: claims } = d.spec;
  const spec = { ...d.spec, updateStrategy: strategy(d.spec.updateStrategy), template: templateDefaults(template) };
  return { ...d, spec: { ...spec, ...(claims && { volumeClaimTemplates: claims.map(claimTemplate) }) } };
}

export const statefulSets = define<StatefulSet>({
  group: "apps",
  version: "v1",
  kind: "StatefulSet",
  plural: "statefulsets",
  shortNames: ["sts"],
  categories: ["all"],
  scope: "Namespaced",
  subresources: ["status", "scale"],
  published: "io.k8s.api.apps.v1.StatefulSet",
  generation: "spec",
  defaults,
  rules: podRules,
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
    containersColumn,
    imagesColumn,
  ],
});
