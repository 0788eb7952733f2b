// Role and ClusterRole: rules that allow verbs on resources or on URL paths, in one namespace or everywhere.
import type { ClusterRole, PolicyRule, Role } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { invalid, required, together } from "../problems.ts";
import type { Rules } from "../validation.ts";

export const rbacGroup = "rbac.authorization.k8s.io";

const noPaths = "namespaced rules cannot apply to non-resource URLs";
const mixed = "rules cannot apply to both regular resources and non-resource URLs";

/** Paths belong to no namespace. */
const rulesOf = (isNamespaced: boolean): Rules => ({
  PolicyRule: ({ apiGroups = [], nonResourceURLs: urls = [], resourceNames = [], resources = [] }: PolicyRule) => {
    if (urls.length > 0)
      return together(
        isNamespaced && invalid("nonResourceURLs", urls, noPaths),
        apiGroups.length + resources.length + resourceNames.length > 0 && invalid("nonResourceURLs", urls, mixed),
      );
    return together(
      apiGroups.length === 0 && required("apiGroups", "resource rules must supply at least one api group"),
      resources.length === 0 && required("resources", "resource rules must supply at least one resource"),
      resourceNames.length > 0 &&
        resources.length > 1 &&
        required("resourceNames", "resource names cannot apply to multiple resources"),
    );
  },
});

const role = { group: rbacGroup, nameFormat: "path-segment", allowCreateOnUpdate: true } as const;

export const roles = define<Role>({
  ...role,
  kind: "Role",
  scope: "Namespaced",
  rules: rulesOf(true),
});

export const clusterRoles = define<ClusterRole>({
  ...role,
  kind: "ClusterRole",
  scope: "Cluster",
  rules: rulesOf(false),
});
