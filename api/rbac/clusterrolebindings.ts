// ClusterRoleBinding: gives a role to users, groups or service accounts everywhere.
import type { ClusterRoleBinding } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { bindingColumns } from "./binding-columns.ts";
import { rbacGroup, validateBinding, withGroups } from "./policy-rules.ts";

export const clusterRoleBindings = define<ClusterRoleBinding>({
  group: rbacGroup,
  kind: "ClusterRoleBinding",
  scope: "Cluster",
  nameFormat: "path-segment",
  allowCreateOnUpdate: true,
  defaults: withGroups,
  validate: (b, old) => validateBinding(b, old, ["ClusterRole"]),
  columns: bindingColumns,
});
