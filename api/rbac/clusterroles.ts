// ClusterRole: what may be done everywhere, or, bound in a namespace, there. It may be the sum of others.
import type { ClusterRole } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { createdColumn, nameColumn } from "../columns.ts";
import { rbacGroup, validateRules } from "./policy-rules.ts";

export const clusterRoles = define<ClusterRole>({
  group: rbacGroup,
  kind: "ClusterRole",
  scope: "Cluster",
  nameFormat: "path-segment",
  allowCreateOnUpdate: true,
  validate: (r) => validateRules(r.rules, false),
  columns: [nameColumn, createdColumn],
});
