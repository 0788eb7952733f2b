// Deployment: rolls out versions of a pod template through replica sets.
import type { Deployment, DeploymentStrategy } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { templateDefaults } from "../core/pod/defaults.ts";
import { scalableWorkload } from "../core/workloads.ts";
import { forbidden, invalid, together } from "../problems.ts";
import { valuesOf } from "../schema.ts";
import { workloadWarnings } from "../core/pod/warnings.ts";
import { selectorText } from "../selector.ts";
import { ageColumn, containerColumns, nameColumn } from "../columns.ts";
import { numberIn, unknownStrategy } from "../int-or-percent.ts";
import { validateCollisions, validateReplicaCounts, validateWorkload } from "../core/workload-validate.ts";

export type { Deployment } from "../generated/types.ts";

const usual = { maxSurge: "25%", maxUnavailable: "25%" };
const strategy = (s: DeploymentStrategy): DeploymentStrategy =>
  s.type === "Recreate" ? s : { ...s, rollingUpdate: { ...usual, ...s.rollingUpdate } };

const defaults = (d: Draft<Deployment>): Draft<Deployment> => ({
  ...d,
  spec: { ...d.spec, strategy: strategy(d.spec.strategy ?? {}), template: templateDefaults(d.spec.template) },
});

function validateStrategy(s: DeploymentStrategy | undefined): readonly Problem[] {
  const rolling = s?.rollingUpdate;
  const path = "spec.strategy.rollingUpdate";
  if (s?.type === "Recreate")
    return rolling ? [forbidden(path, "may not be specified when strategy `type` is 'Recreate'")] : [];
  if (s?.type !== "RollingUpdate")
    return unknownStrategy(s, "spec.strategy", valuesOf("io.k8s.api.apps.v1.DeploymentStrategy", "type"));
  const isStuck = numberIn(rolling?.maxSurge) === 0 && numberIn(rolling?.maxUnavailable) === 0;
  return isStuck
    ? [invalid(`${path}.maxUnavailable`, rolling?.maxUnavailable, "may not be 0 when `maxSurge` is 0")]
    : [];
}

function validate(d: Draft<Deployment>, old?: Deployment): readonly Problem[] {
  const { progressDeadlineSeconds: deadline = 600, minReadySeconds = 0 } = d.spec;
  return together(
    validateWorkload(d, "Deployment", old),
    validateStrategy(d.spec.strategy),
    deadline <= minReadySeconds &&
      invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"),
  );
}

/** Validates the counts of a status. */
const validateStatus = ({ status }: Deployment, old: Deployment): readonly Problem[] =>
  together(
    validateCollisions(status, old.status),
    validateReplicaCounts(["updatedReplicas", "readyReplicas", "availableReplicas"], status, "readyReplicas"),
  );

export const deployments = define<Deployment>({
  ...scalableWorkload,
  group: "apps",
  kind: "Deployment",
  shortNames: ["deploy"],
  defaults,
  validate,
  validateStatus,
  warnings: (d) => workloadWarnings(d),
  columns: [
    nameColumn,
    { name: "Ready", cell: (d) => `${d.status?.readyReplicas ?? 0}/${d.spec.replicas ?? 0}` },
    { name: "Up-to-date", type: "integer", cell: (d) => d.status?.updatedReplicas ?? 0 },
    { name: "Available", type: "integer", cell: (d) => d.status?.availableReplicas ?? 0 },
    ageColumn,
    ...containerColumns((d: Deployment) => d.spec.template),
    { name: "Selector", priority: 1, cell: (d) => selectorText(d.spec.selector) },
  ],
});
