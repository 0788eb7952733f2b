// ControllerRevision: a numbered, immutable snapshot of a workload's state, for rollbacks.
import type { ControllerRevision } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { controllerOf } from "../meta.ts";
import { unfit } from "../problems.ts";
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
  kind: "ControllerRevision",
  scope: "Namespaced",
  validate: (r, old) =>
    old && JSON.stringify(old.data) !== JSON.stringify(r.data) ? [unfit("data", "field is immutable")] : [],
  columns: [
    nameColumn,
    { name: "Controller", cell: owner },
    { name: "Revision", type: "integer", cell: (r) => r.revision },
    ageColumn,
  ],
});
