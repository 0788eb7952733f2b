// PriorityClass: a name for a priority of pods.
import type { PriorityClass } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { forbidden, none } from "../problems.ts";
import { ageColumn, nameColumn } from "../columns.ts";

const highestUserPriority = 1_000_000_000;

/** The priority classes of the cluster's own pods, above every class of users. */
export const systemPriorities: Readonly<Record<string, number>> = {
  "system-cluster-critical": 2 * highestUserPriority,
  "system-node-critical": 2 * highestUserPriority + 1000,
};

/** Why a class may not have its `system-` name; undefined if it may. */
function reservedFor({ metadata: { name = "" }, value = 0, globalDefault }: Draft<PriorityClass>): string | undefined {
  const known = systemPriorities[name];
  if (known === undefined) return `${name} is not a known system priority class`;
  if (known !== value) return `value of ${name} PriorityClass must be ${known}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

function validate(c: Draft<PriorityClass>, old?: PriorityClass) {
  if (old) return none;
  if (!c.metadata.name?.startsWith("system-"))
    return (c.value ?? 0) > highestUserPriority
      ? [forbidden("value", `maximum allowed value of a user defined priority is ${highestUserPriority}`)]
      : none;
  const error = reservedFor(c);
  const reserved = "priority class names with 'system-' prefix are reserved for system use only";
  return error === undefined ? none : [forbidden("metadata.name", `${reserved}. error: ${error}`)];
}

export const priorityClasses = define<PriorityClass>({
  group: "scheduling.k8s.io",
  kind: "PriorityClass",
  shortNames: ["pc"],
  scope: "Cluster",
  // The value is immutable, so the generation stays 1.
  generation: "value",
  validate,
  columns: [
    nameColumn,
    { name: "Value", type: "integer", cell: (c) => c.value ?? 0 },
    { name: "Global-Default", type: "boolean", cell: (c) => c.globalDefault ?? false },
    ageColumn,
    { name: "PreemptionPolicy", cell: (c) => c.preemptionPolicy ?? "" },
  ],
});
