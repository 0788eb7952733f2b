// What the definitions of workloads, kinds with a pod template, have in common.
import type { ReplicaSet } from "../generated/types.ts";
import type { ApiObject } from "../meta.ts";
import type { Column } from "../kinds.ts";
import { ageColumn, containerColumns, nameColumn } from "../columns.ts";
import { podRules } from "./pod/rules.ts";
import { workloadWarnings } from "./pod/warnings.ts";
import { validateReplicaStatus } from "./workload-validate.ts";

/** Every workload. */
export const workload = {
  categories: ["all"],
  scope: "Namespaced",
  subresources: ["status"],
  generation: "spec",
  rules: podRules,
} as const;

/** Workloads with a number of replicas. */
export const scalableWorkload = { ...workload, subresources: ["status", "scale"] } as const;

type Replicated = ApiObject & {
  readonly spec: Pick<ReplicaSet["spec"], "replicas" | "template">;
  readonly status?: ReplicaSet["status"];
};

/** ReplicaSet and ReplicationController, whose selectors differ. */
export const replicaWorkload = <T extends Replicated>(selector: Column<T>["cell"]) => ({
  ...scalableWorkload,
  validateStatus: validateReplicaStatus,
  warnings: (r: Parameters<typeof workloadWarnings>[0]) => workloadWarnings(r),
  selectable: { "status.replicas": (r: T) => String(r.status?.replicas ?? 0) },
  columns: [
    nameColumn,
    { name: "Desired", type: "integer", cell: (r) => r.spec.replicas ?? 0 },
    { name: "Current", type: "integer", cell: (r) => r.status?.replicas ?? 0 },
    { name: "Ready", type: "integer", cell: (r) => r.status?.readyReplicas ?? 0 },
    ageColumn,
    ...containerColumns((r: T) => r.spec.template),
    { name: "Selector", priority: 1, cell: selector },
  ] satisfies readonly Column<T>[],
});
