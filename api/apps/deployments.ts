// Deployment: replica sets in sequence, so that a new version arrives gradually and can be taken back.
import type { Deployment, DeploymentSpec, DeploymentStrategy } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { templateDefaults } from "../core/pod/defaults.ts";
import { invalid, notNegative, unchanged } from "../problems.ts";
import { workloadWarnings } from "../core/pod/warnings.ts";
import { schemaOf } from "../schema.ts";
import { selectorText } from "../selector.ts";
import { ageColumn, containersColumn, imagesColumn, nameColumn } from "../columns.ts";
import { numberIn, unknownStrategy, validateShare } from "../int-or-percent.ts";
import { validateCounts, validateNotAbove, validateWorkload } from "../core/workload-validate.ts";

export type { Deployment } from "../generated/types.ts";

const strategy = (s: DeploymentStrategy | undefined): DeploymentStrategy =>
  s?.type === "Recreate"
    ? s
    : {
        ...s,
        type: s?.type || "RollingUpdate",
        rollingUpdate: {
          maxSurge: s?.rollingUpdate?.maxSurge ?? "25%",
          maxUnavailable: s?.rollingUpdate?.maxUnavailable ?? "25%",
        },
      };

function defaults(d: Draft<Deployment>): Draft<Deployment> {
  const given: Partial<DeploymentSpec> = d.spec ?? {};
  const spec = {
    ...given,
    replicas: given.replicas ?? 1,
    strategy: strategy(given.strategy),
    revisionHistoryLimit: given.revisionHistoryLimit ?? 10,
    progressDeadlineSeconds: given.progressDeadlineSeconds ?? 600,
    ...(given.template ? { template: templateDefaults(given.template) } : {}),
  } as DeploymentSpec;
  return { ...d, spec, status: d.status ?? {} };
}

function validateStrategy(s: DeploymentStrategy | undefined): readonly Problem[] {
  const rolling = s?.rollingUpdate;
  if (s?.type === "Recreate")
    return rolling
      ? [
          {
            path: "spec.strategy.rollingUpdate",
            message: "Forbidden: may not be specified when strategy `type` is 'Recreate'",
            reason: "FieldValueForbidden",
          },
        ]
      : [];
  if (s?.type !== "RollingUpdate") return unknownStrategy(s, "spec.strategy", ["Recreate", "RollingUpdate"]);
  const path = "spec.strategy.rollingUpdate";
  return [
    ...validateShare(rolling?.maxSurge, `${path}.maxSurge`),
    ...validateShare(rolling?.maxUnavailable, `${path}.maxUnavailable`, 100),
    ...(numberIn(rolling?.maxSurge) === 0 && numberIn(rolling?.maxUnavailable) === 0
      ? [invalid(`${path}.maxUnavailable`, rolling?.maxUnavailable, "may not be 0 when `maxSurge` is 0")]
      : []),
  ];
}

function validate(d: Draft<Deployment>, old?: Deployment): readonly Problem[] {
  const { progressDeadlineSeconds: deadline = 600, minReadySeconds = 0 } = d.spec;
  return [
    ...validateWorkload(d, "Deployment", old),
    ...validateStrategy(d.spec.strategy),
    ...notNegative(d.spec.revisionHistoryLimit, "spec.revisionHistoryLimit"),
    ...notNegative(deadline, "spec.progressDeadlineSeconds"),
    ...(deadline > minReadySeconds
      ? []
      : [invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")]),
    ...(old ? unchanged(d.spec.selector, old.spec.selector, "spec.selector") : []),
  ];
}

const parts = ["updatedReplicas", "readyReplicas", "availableReplicas"] as const;
const counts = ["observedGeneration", "replicas", ...parts, "unavailableReplicas", "collisionCount"] as const;

/** What is wrong with what a deployment is said to have come to. */
const validateStatus = ({ status }: Deployment, old: Deployment): readonly Problem[] => [
  ...validateCounts(counts, status, old.status),
  ...validateNotAbove(parts, status, "replicas", "cannot be greater than status.replicas"),
  ...validateNotAbove(["availableReplicas"], status, "readyReplicas", "cannot be greater than readyReplicas"),
];

export const deployments = define<Deployment>({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  shortNames: ["deploy"],
  categories: ["all"],
  scope: "Namespaced",
  subresources: ["status", "scale"],
  published: "io.k8s.api.apps.v1.Deployment",
  schema: schemaOf("io.k8s.api.apps.v1.Deployment"),
  generation: "spec",
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
    containersColumn,
    imagesColumn,
    { name: "Selector", priority: 1, cell: (d) => selectorText(d.spec.selector) },
  ],
});
