// Facts that the published schemas of the rbac group lack.
import { needed, otherwise, type Overlay, values } from "../overlay.ts";

export const rbacOverlay: Overlay = {
  AggregationRule: {
    clusterRoleSelectors: { nonEmpty: "at least one clusterRoleSelector required if aggregationRule is non-nil" },
  },
  ClusterRole: { rules: { keepEmpty: true } },
  PolicyRule: { verbs: { nonEmpty: "verbs must contain at least one value" } },
  Subject: { name: needed, kind: values("ServiceAccount", "User", "Group") },
  Role: { rules: { keepEmpty: true } },
  RoleRef: {
    apiGroup: { ...otherwise("rbac.authorization.k8s.io"), enum: ["rbac.authorization.k8s.io"] },
    name: { nonEmpty: true, format: "path-segment" },
  },
};
