// RoleBinding and ClusterRoleBinding: give a role to users, groups or service accounts, in one namespace or everywhere.
import type { ClusterRoleBinding, RbacV1Subject, RoleBinding, RoleRef } from "../generated/types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { sameJson } from "../hash.ts";
import { define } from "../kinds.ts";
import { validateSubdomainName } from "../names.ts";
import { invalid, none, oneOf, required, together } from "../problems.ts";
import type { Rules } from "../validation.ts";
import { rbacGroup } from "./roles.ts";

type Binding = Pick<RoleBinding, "roleRef" | "subjects">;

function validateSubject({ apiGroup = "", kind, name, namespace }: RbacV1Subject, isNamespaced: boolean) {
  if (kind === "ServiceAccount")
    return together(
      validateSubdomainName(name, "name"),
      oneOf(apiGroup, "apiGroup", [""]),
      !isNamespaced && !namespace && required("namespace"),
    );
  if (kind !== "User" && kind !== "Group") return none;
  return together(
    !name && invalid("name", name, `${kind.toLowerCase()} name cannot be empty`),
    oneOf(apiGroup, "apiGroup", [rbacGroup]),
  );
}

/** By the kinds of role that may be given: a namespaced binding may give both. */
const rulesOf = (...kinds: readonly string[]): Rules => ({
  RoleRef: ({ kind }: RoleRef) => oneOf(kind, "kind", kinds),
  Subject: (subject: RbacV1Subject) => validateSubject(subject, kinds.includes("Role")),
});

const namesOf = (b: Binding, kind: string): string =>
  (b.subjects ?? [])
    .filter((s) => s.kind === kind)
    .map((s) => (kind === "ServiceAccount" ? `${s.namespace ?? ""}/${s.name}` : s.name))
    .join(", ");

const isPerson = ({ kind }: RbacV1Subject): boolean => kind === "User" || kind === "Group";
/** Users and groups are of the only API group there is. */
const withGroups = <B extends Partial<Binding>>(binding: B): B => ({
  ...binding,
  ...(binding.subjects && {
    subjects: binding.subjects.map((s) => (isPerson(s) ? { ...s, apiGroup: s.apiGroup || rbacGroup } : s)),
  }),
});

const binding = {
  group: rbacGroup,
  nameFormat: "path-segment",
  allowCreateOnUpdate: true,
  defaults: withGroups,
  validate: ({ roleRef }: Binding, old?: Binding) =>
    old && !sameJson(roleRef, old.roleRef) ? [invalid("roleRef", roleRef, "cannot change roleRef")] : none,
  columns: [
    nameColumn,
    { name: "Role", cell: (b: Binding) => `${b.roleRef.kind}/${b.roleRef.name}` },
    ageColumn,
    { name: "Users", priority: 1, cell: (b: Binding) => namesOf(b, "User") },
    { name: "Groups", priority: 1, cell: (b: Binding) => namesOf(b, "Group") },
    { name: "ServiceAccounts", priority: 1, cell: (b: Binding) => namesOf(b, "ServiceAccount") },
  ],
} as const;

export const roleBindings = define<RoleBinding>({
  ...binding,
  kind: "RoleBinding",
  scope: "Namespaced",
  rules: rulesOf("Role", "ClusterRole"),
});

export const clusterRoleBindings = define<ClusterRoleBinding>({
  ...binding,
  kind: "ClusterRoleBinding",
  scope: "Cluster",
  rules: rulesOf("ClusterRole"),
});
