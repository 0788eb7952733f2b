// PriorityClass: how much pods of a sort matter, as a number with a name.
import type { Problem } from "../errors.ts";
import type { PriorityClass } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { forbidden } from "../problems.ts";
import { ageColumn, nameColumn } from "../columns.ts";

const highestOfUsers = 1_000_000_000;

/** The classes of the cluster's own pods, above everything a user may define. */
export const systemPriorities: Readonly<Record<string, number>> = {
  "system-cluster-critical": 2 * highestOfUsers,
  "system-node-critical": 2 * highestOfUsers + 1000,
};

function reservedName({ metadata: { name = "" }, value = 0, globalDefault }: Draft<PriorityClass>): readonly Problem[] {
  const known = systemPriorities[name];
  const error =
    known === undefined
      ? `${name} is not a known system priority class`
      : known !== value
        ? `value of ${name} PriorityClass must be ${known}`
        : globalDefault
          ? `globalDefault of ${name} PriorityClass must be false`
          : undefined;
  return error === undefined
    ? []
    : [
        forbidden(
          "metadata.name",
          `priority class names with 'system-' prefix are reserved for system use only. error: ${error}`,
        ),
      ];
}

function validate(c: Draft<PriorityClass>, old?: PriorityClass): readonly Problem[] {
  if (old) return [];
  if (c.metadata.name?.startsWith("system-")) return reservedName(c);
  return (c.value ?? 0) > highestOfUsers
    ? [forbidden("value", `maximum allowed value of a user defined priority is ${highestOfUsers}`)]
    : [];
}

export const priorityClasses = define<PriorityClass>({
  group: "scheduling.k8s.io",
  kind: "PriorityClass",
  shortNames: ["pc"],
  scope: "Cluster",
  // The value never changes: the generation is one for good.
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
