// Merges roles and bindings into existing ones, as `auth reconcile` does: what the existing ones lack is added. Pure.
import { sameJson } from "../../api/hash.ts";

export interface Rule {
  readonly verbs?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}
export interface Subject {
  readonly kind: string;
  readonly apiGroup?: string;
  readonly name: string;
  readonly namespace?: string;
}
type Labels = Readonly<Record<string, string>>;
/** A Role, ClusterRole, RoleBinding or ClusterRoleBinding. */
export interface AccessObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Labels;
    readonly annotations?: Labels;
  };
  readonly rules?: readonly Rule[] | null;
  readonly subjects?: readonly Subject[] | null;
  readonly roleRef?: { readonly apiGroup?: string; readonly kind: string; readonly name: string };
}

/** Whether what the manifest lacks is removed. */
export interface Removal {
  readonly removeExtraPermissions?: boolean;
  readonly removeExtraSubjects?: boolean;
}
/** What is to be done, and the lines that explain it. */
export interface Reconciliation {
  readonly operation: "create" | "update" | "recreate" | "none";
  readonly object: AccessObject;
  readonly lines: readonly string[];
}

/** Rules of one group, resource, name and verb each. */
const atomsOf = (rules: readonly Rule[]): readonly Rule[] =>
  rules.flatMap(({ verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }) => {
    const names = resourceNames.length > 0 ? resourceNames.map((name) => [name]) : [undefined];
    const ofResources = apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.flatMap((verb) =>
          names.map((name) => ({
            verbs: [verb],
            apiGroups: [group],
            resources: [resource],
            ...(name ? { resourceNames: name } : {}),
          })),
        ),
      ),
    );
    const ofUrls = nonResourceURLs.flatMap((url) => verbs.map((verb) => ({ verbs: [verb], nonResourceURLs: [url] })));
    return [...ofResources, ...ofUrls];
  });

const allows = (list: readonly string[] = [], values: readonly string[] = []): boolean =>
  list.includes("*") || values.every((value) => list.includes(value));

/** Whether a rule permits what another one, which is an atom, permits. */
function covers(rule: Rule, atom: Rule): boolean {
  if (!allows(rule.verbs, atom.verbs)) return false;
  if (atom.nonResourceURLs)
    return atom.nonResourceURLs.every((url) =>
      (rule.nonResourceURLs ?? []).some(
        (own) => own === url || (own.endsWith("*") && url.startsWith(own.slice(0, -1))),
      ),
    );
  const ofAnyResource = (atom.resources ?? []).map((resource) => resource.replace(/^[^/]*\//, "*/"));
  return (
    allows(rule.apiGroups, atom.apiGroups) &&
    (allows(rule.resources, atom.resources) || allows(rule.resources, ofAnyResource)) &&
    (!rule.resourceNames?.length || atom.resourceNames?.every((name) => rule.resourceNames!.includes(name)) === true)
  );
}

/** The atoms of rules that others do not permit. */
const uncovered = (rules: readonly Rule[], by: readonly Rule[]): readonly Rule[] =>
  atomsOf(rules).filter((atom) => !by.some((rule) => covers(rule, atom)));

const isSame = (a: Subject, b: Subject): boolean =>
  a.kind === b.kind && a.name === b.name && (a.apiGroup ?? "") === (b.apiGroup ?? "") && a.namespace === b.namespace;
const without = (subjects: readonly Subject[], others: readonly Subject[]): readonly Subject[] =>
  subjects.filter((subject) => !others.some((other) => isSame(subject, other)));

const goList = (values: readonly string[] = []): string => `[${values.join(" ")}]`;
const ruleText = (r: Rule): string =>
  `{Verbs:${goList(r.verbs)} APIGroups:${goList(r.apiGroups)} Resources:${goList(r.resources)} ResourceNames:${goList(r.resourceNames)} NonResourceURLs:${goList(r.nonResourceURLs)}}`;
const subjectText = ({ kind, apiGroup = "", name, namespace = "" }: Subject): string =>
  `{Kind:${kind} APIGroup:${apiGroup} Name:${name} Namespace:${namespace}}`;

const section = (title: string, items: readonly string[]): readonly string[] =>
  items.length === 0 ? [] : [`\t${title}:`, ...items.map((item) => `\t\t${item}`)];

/** What two lists lack of each other, and the list that results. */
interface Merged {
  readonly field: "rules" | "subjects";
  readonly result: readonly (Rule | Subject)[];
  readonly missing: readonly string[];
  readonly removed: readonly string[];
}

function mergedRules(existing: readonly Rule[], desired: readonly Rule[], removes: boolean): Merged {
  const missing = uncovered(desired, existing);
  const extra = removes ? uncovered(existing, desired) : [];
  const changes = removes && missing.length + extra.length > 0;
  const result = changes ? desired : [...existing, ...missing];
  return { field: "rules", result, missing: missing.map(ruleText), removed: extra.map(ruleText) };
}

function mergedSubjects(existing: readonly Subject[], desired: readonly Subject[], removes: boolean): Merged {
  const missing = without(desired, existing);
  const extra = removes ? without(existing, desired) : [];
  const result = removes && missing.length + extra.length > 0 ? desired : [...existing, ...missing];
  return { field: "subjects", result, missing: missing.map(subjectText), removed: extra.map(subjectText) };
}

/** What an object of a manifest changes of the existing one, which may be missing. */
export function reconciled(
  desired: AccessObject,
  existing: AccessObject | undefined,
  removal: Removal,
): Reconciliation {
  const isRole = desired.roleRef === undefined;
  const merged = isRole
    ? mergedRules(existing?.rules ?? [], desired.rules ?? [], removal.removeExtraPermissions === true)
    : mergedSubjects(existing?.subjects ?? [], desired.subjects ?? [], removal.removeExtraSubjects === true);
  const noun = isRole ? "rules" : "subjects";
  const lines = [
    ...section(`missing ${noun} added`, existing || !isRole ? merged.missing : (desired.rules ?? []).map(ruleText)),
    ...section(`extra ${noun} removed`, merged.removed),
  ];
  const report = (operation: Exclude<Reconciliation["operation"], "none">, object: AccessObject): Reconciliation => ({
    operation,
    object,
    lines: [`\treconciliation required ${operation}`, ...lines],
  });
  if (!existing) return report("create", desired);
  const { labels, annotations } = desired.metadata;
  const metadata = {
    ...existing.metadata,
    ...(labels && { labels: { ...labels, ...existing.metadata.labels } }),
    ...(annotations && { annotations: { ...annotations, ...existing.metadata.annotations } }),
  };
  const object = { ...existing, metadata, [merged.field]: merged.result };
  if (!sameJson(existing.roleRef, desired.roleRef))
    return report("recreate", { ...desired, [merged.field]: merged.result });
  const isChanged = merged.missing.length + merged.removed.length > 0 || !sameJson(metadata, existing.metadata);
  return isChanged ? report("update", object) : { operation: "none", object: existing, lines: [] };
}
