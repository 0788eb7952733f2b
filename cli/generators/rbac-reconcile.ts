// The lines in which `auth reconcile` explains what it changes of a role or a binding. Pure.
import type { PolicyRule, RbacV1Subject } from "../../api/generated/types.ts";
import { type AccessObject, type Reconciliation, reconciled, type Removal } from "../../api/rbac/reconcile.ts";

/** What is to be done, and the lines that explain it. */
interface Explained extends Pick<Reconciliation, "operation" | "object"> {
  readonly lines: readonly string[];
}

const goList = (values: readonly string[] = []): string => `[${values.join(" ")}]`;
const ruleText = (r: PolicyRule): string =>
  `{Verbs:${goList(r.verbs)} APIGroups:${goList(r.apiGroups)} Resources:${goList(r.resources)} ResourceNames:${goList(r.resourceNames)} NonResourceURLs:${goList(r.nonResourceURLs)}}`;
const subjectText = ({ kind, apiGroup = "", name, namespace = "" }: RbacV1Subject): string =>
  `{Kind:${kind} APIGroup:${apiGroup} Name:${name} Namespace:${namespace}}`;
const itemText = (item: PolicyRule | RbacV1Subject): string =>
  "kind" in item ? subjectText(item) : ruleText(item as PolicyRule);

const section = (title: string, items: readonly (PolicyRule | RbacV1Subject)[]): readonly string[] =>
  items.length === 0 ? [] : [`\t${title}:`, ...items.map((item) => `\t\t${itemText(item)}`)];

/** What an object of a manifest changes of the existing one, which may be missing. */
export function explainedReconciliation(
  desired: AccessObject,
  existing: AccessObject | undefined,
  removal: Removal,
): Explained {
  const { operation, object, missing, removed } = reconciled(desired, existing, removal);
  if (operation === "none") return { operation, object, lines: [] };
  const isRole = desired.roleRef === undefined;
  const noun = isRole ? "rules" : "subjects";
  // A new role is shown with its rules as they are.
  const added = existing || !isRole ? missing : (desired.rules ?? []);
  const lines = [
    `\treconciliation required ${operation}`,
    ...section(`missing ${noun} added`, added),
    ...section(`extra ${noun} removed`, removed),
  ];
  return { operation, object, lines };
}
