// What roles are made of: rules that allow verbs on resources or paths, and the subjects they are given to.
import type { Problem } from "../errors.ts";
import type { PolicyRule, RbacV1Subject, RoleRef } from "../generated/types.ts";
import { sameJson } from "../hash.ts";
import type { DraftMeta } from "../meta.ts";
import { validateSubdomainName } from "../names.ts";
import { invalid, required, unsupported } from "../problems.ts";

export const rbacGroup = "rbac.authorization.k8s.io";

function validateUrls(rule: PolicyRule, path: string, isNamespaced: boolean): readonly Problem[] {
  const { nonResourceURLs: urls, apiGroups, resources, resourceNames } = rule;
  const isMixed = [apiGroups, resources, resourceNames].some((list) => list?.length);
  return [
    ...(isNamespaced ? [invalid(path, urls, "namespaced rules cannot apply to non-resource URLs")] : []),
    ...(isMixed ? [invalid(path, urls, "rules cannot apply to both regular resources and non-resource URLs")] : []),
  ];
}

function validateRule(rule: PolicyRule, path: string, isNamespaced: boolean): readonly Problem[] {
  if (rule.nonResourceURLs?.length) return validateUrls(rule, `${path}.nonResourceURLs`, isNamespaced);
  const isVague = rule.resourceNames?.length && (rule.resources?.length ?? 0) > 1;
  return [
    ...(rule.apiGroups?.length
      ? []
      : [required(`${path}.apiGroups`, "resource rules must supply at least one api group")]),
    ...(rule.resources?.length
      ? []
      : [required(`${path}.resources`, "resource rules must supply at least one resource")]),
    ...(isVague ? [required(`${path}.resourceNames`, "resource names cannot apply to multiple resources")] : []),
  ];
}

/** In a namespace there are no paths to allow. */
export const validateRules = (rules: readonly PolicyRule[] | undefined, isNamespaced: boolean): readonly Problem[] =>
  (rules ?? []).flatMap((rule, i) => validateRule(rule, `rules[${i}]`, isNamespaced));

function validateSubject(s: RbacV1Subject, path: string, isNamespaced: boolean): readonly Problem[] {
  const { apiGroup = "" } = s;
  switch (s.kind) {
    case "ServiceAccount":
      return [
        ...validateSubdomainName(s.name, `${path}.name`),
        ...(apiGroup === "" ? [] : [unsupported(`${path}.apiGroup`, apiGroup, [""])]),
        ...(isNamespaced || s.namespace ? [] : [required(`${path}.namespace`)]),
      ];
    case "User":
    case "Group":
      return [
        ...(s.name ? [] : [invalid(`${path}.name`, s.name, `${s.kind.toLowerCase()} name cannot be empty`)]),
        ...(apiGroup === rbacGroup ? [] : [unsupported(`${path}.apiGroup`, apiGroup, [rbacGroup])]),
      ];
    default:
      return [];
  }
}

/** A role given to subjects. */
export interface Binding {
  readonly metadata: DraftMeta;
  readonly roleRef: RoleRef;
  readonly subjects?: readonly RbacV1Subject[];
}

/** What is wrong with a binding; `roles` are the kinds it may give, and a namespaced one may give both. */
export function validateBinding(b: Binding, old: Binding | undefined, roles: readonly string[]): readonly Problem[] {
  const { kind } = b.roleRef;
  return [
    ...(roles.includes(kind) ? [] : [unsupported("roleRef.kind", kind, roles)]),
    ...(b.subjects ?? []).flatMap((s, i) => validateSubject(s, `subjects[${i}]`, roles.includes("Role"))),
    ...(old && !sameJson(b.roleRef, old.roleRef) ? [invalid("roleRef", b.roleRef, "cannot change roleRef")] : []),
  ];
}

/** Whoever leaves the group out means the one there is. */
export const withGroups = <B extends Partial<Binding>>(binding: B): B => ({
  ...binding,
  ...(binding.subjects && {
    subjects: binding.subjects.map((s) =>
      s.kind === "User" || s.kind === "Group" ? { ...s, apiGroup: s.apiGroup || rbacGroup } : s,
    ),
  }),
});
