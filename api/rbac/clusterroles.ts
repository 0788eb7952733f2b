// ClusterRole: what may be done everywhere, or, bound in a namespace, there. It may be the sum of others.
import type { Problem } from "../errors.ts";
import type { AggregationRule, ClusterRole } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { required } from "../problems.ts";
import { schemaOf } from "../schema.ts";
import { createdColumn, nameColumn } from "../columns.ts";
import { rbacGroup, validateRoleName, validateRules } from "./policy-rules.ts";
import { validateLabelSelector } from "../selector-validate.ts";

function validateSum(rule: AggregationRule | undefined): readonly Problem[] {
  const selectors = rule?.clusterRoleSelectors ?? [];
  const path = "aggregationRule.clusterRoleSelectors";
  if (rule && selectors.length === 0)
    return [required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil")];
  return selectors.flatMap((s, i) => validateLabelSelector(s, `${path}[${i}]`));
}

export const clusterRoles = define<ClusterRole>({
  group: rbacGroup,
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  scope: "Cluster",
  allowCreateOnUpdate: true,
  published: "io.k8s.api.rbac.v1.ClusterRole",
  schema: schemaOf("io.k8s.api.rbac.v1.ClusterRole"),
  validate: (r) => [
    ...validateRoleName(r.metadata),
    ...validateRules(r.rules, false),
    ...validateSum(r.aggregationRule),
  ],
  columns: [nameColumn, createdColumn],
});
