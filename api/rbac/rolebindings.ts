// RoleBinding: gives a role to users, groups or service accounts in one namespace.
import type { RoleBinding } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { bindingColumns } from "./binding-columns.ts";
import { rbacGroup, validateBinding, withGroups } from "./policy-rules.ts";

export const roleBindings = define<RoleBinding>({
  group: rbacGroup,
  kind: "RoleBinding",
  scope: "Namespaced",
  nameFormat: "path-segment",
  allowCreateOnUpdate: true,
  defaults: withGroups,
  validate: (b, old) => validateBinding(b, old, ["Role", "ClusterRole"]),
  columns: bindingColumns,
});
