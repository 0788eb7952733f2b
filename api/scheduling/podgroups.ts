// PodGroup: pods that are scheduled together, all or nothing or each on its own. Source: KEP-4671 (gang scheduling),
// KEP-5710 (workload-aware preemption).
import { ageColumn, nameColumn } from "../columns.ts";
import { conditionOf } from "../core/pod/status.ts";
import type { Pod, PodGroup, PodGroupResourceClaim, PodGroupSchedulingPolicy } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { type Key, key } from "../meta.ts";
import { each, invalid, none } from "../problems.ts";
import type { Rules } from "../validation.ts";

/** Keeps a group that is deleted until no active pod belongs to it. */
export const podGroupFinalizer = "scheduling.k8s.io/podgroup-protection";

/** Exactly one of these members is set. */
const union =
  <T extends object>(...members: readonly (keyof T & string)[]) =>
  (value: T, path: string) => {
    const set = members.filter((member) => value[member] !== undefined);
    const listed = members.map((member) => `\`${member}\``).join(", ");
    if (set.length === 0) return [invalid(path, "", `must specify one of: ${listed}`)];
    return set.length === 1 ? none : [invalid(path, `{${set.join(", ")}}`, `must specify exactly one of: ${listed}`)];
  };

/** Rules of the types in a pod group and in the templates of a workload. */
export const podGroupRules: Rules = {
  PodGroupSchedulingPolicy: union<PodGroupSchedulingPolicy>("basic", "gang"),
  PodGroupResourceClaim: union<PodGroupResourceClaim>("resourceClaimName", "resourceClaimTemplateName"),
  PodGroupTemplateReference: union<{ readonly workload?: unknown }>("workload"),
};

const unknownClaim = "must match the name of an entry in `spec.resourceClaims`";

function statusOf({ status }: PodGroup): string {
  const disrupted = conditionOf(status?.conditions, "DisruptionTarget");
  if (disrupted) return disrupted.reason;
  const scheduled = conditionOf(status?.conditions, "PodGroupScheduled");
  if (!scheduled) return "Pending";
  return scheduled.status === "True" ? "Scheduled" : "Unschedulable";
}

/** The group a pod belongs to. */
export function podGroupKeyOf({ metadata, spec }: Pod): Key | undefined {
  const name = spec.schedulingGroup?.podGroupName;
  return name === undefined ? undefined : key(metadata.namespace, name);
}

export const podGroups = define<PodGroup>({
  group: "scheduling.k8s.io",
  version: "v1alpha2",
  kind: "PodGroup",
  scope: "Namespaced",
  subresources: ["status"],
  rules: podGroupRules,
  validateStatus: ({ spec, status }) =>
    each(status?.resourceClaimStatuses, "status.resourceClaimStatuses", ({ name }, at) =>
      (spec.resourceClaims ?? []).some((claim) => claim.name === name)
        ? none
        : [invalid(`${at}.name`, name, unknownClaim)],
    ),
  columns: [
    nameColumn,
    { name: "Policy", cell: ({ spec }) => (spec.schedulingPolicy.gang ? "Gang" : "Basic") },
    { name: "Workload", cell: ({ spec }) => spec.podGroupTemplateRef?.workload?.workloadName ?? "<none>" },
    { name: "Status", cell: statusOf },
    ageColumn,
  ],
});
