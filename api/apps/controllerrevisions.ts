// ControllerRevision: a numbered, immutable copy of a workload's state, to roll back to.
import type { ControllerRevision } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { controllerOf } from "../meta.ts";
import { ageColumn, nameColumn } from "../columns.ts";

export type { ControllerRevision } from "../generated/types.ts";

const owner = (r: ControllerRevision): string => {
  const by = controllerOf(r);
  if (!by) return "<none>";
  const group = by.apiVersion.includes("/") ? `.${by.apiVersion.split("/")[0]}` : "";
  return `${by.kind.toLowerCase()}${group}/${by.name}`;
};

export const controllerRevisions = define<ControllerRevision>({
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  scope: "Namespaced",
  validate: (r, old) =>
    old && JSON.stringify(old.data) !== JSON.stringify(r.data)
      ? [{ path: "data", message: "Invalid value: field is immutable", reason: "FieldValueInvalid" as const }]
      : [],
  columns: [
    nameColumn,
    { name: "Controller", cell: owner },
    { name: "Revision", type: "integer", cell: (r) => r.revision },
    ageColumn,
  ],
});
