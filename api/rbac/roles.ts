// Role: what may be done in one namespace.
import type { Role } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { createdColumn, nameColumn } from "../columns.ts";
import { rbacGroup, validateRules } from "./policy-rules.ts";

export const roles = define<Role>({
  group: rbacGroup,
  kind: "Role",
  scope: "Namespaced",
  nameFormat: "path-segment",
  allowCreateOnUpdate: true,
  validate: (r) => validateRules(r.rules, true),
  columns: [nameColumn, createdColumn],
});
