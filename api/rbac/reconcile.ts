// Merges a role or a binding into an existing one: what the existing one lacks is added. For the roles of a fresh
// cluster, and for `auth reconcile`. Pure.
import type { PolicyRule, RbacV1Subject } from "../generated/types.ts";
import { sameJson } from "../hash.ts";
import { uncovered } from "./coverage.ts";

type Labels = Readonly<Record<string, string>>;
/** A Role, ClusterRole, RoleBinding or ClusterRoleBinding. */
export interface AccessObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Labels;
    readonly annotations?: Labels;
  };
  readonly rules?: readonly PolicyRule[] | null;
  readonly subjects?: readonly RbacV1Subject[] | null;
  readonly roleRef?: { readonly apiGroup?: string; readonly kind: string; readonly name: string };
}

/** Whether what the desired object lacks is removed. */
export interface Removal {
  readonly removeExtraPermissions?: boolean;
  readonly removeExtraSubjects?: boolean;
}
/** What is to be done, and what is added and removed by it: rules of a role, or subjects of a binding. */
export interface Reconciliation<T = PolicyRule | RbacV1Subject> {
  readonly operation: "create" | "update" | "recreate" | "none";
  readonly object: AccessObject;
  readonly missing: readonly T[];
  readonly removed: readonly T[];
}

const isSame = (a: RbacV1Subject, b: RbacV1Subject): boolean =>
  a.kind === b.kind && a.name === b.name && (a.apiGroup ?? "") === (b.apiGroup ?? "") && a.namespace === b.namespace;
const without = (subjects: readonly RbacV1Subject[], others: readonly RbacV1Subject[]): readonly RbacV1Subject[] =>
  subjects.filter((subject) => !others.some((other) => isSame(subject, other)));

/** What two lists lack of each other, and the list that results. */
interface Merged<T> {
  readonly result: readonly T[];
  readonly missing: readonly T[];
  readonly removed: readonly T[];
}
/** `lacking` returns what the first list has and the second does not. */
function merged<T>(
  existing: readonly T[],
  desired: readonly T[],
  removes: boolean,
  lacking: (some: readonly T[], others: readonly T[]) => readonly T[],
): Merged<T> {
  const missing = lacking(desired, existing);
  const removed = removes ? lacking(existing, desired) : [];
  const isReplaced = removes && missing.length + removed.length > 0;
  return { result: isReplaced ? desired : [...existing, ...missing], missing, removed };
}

/** What a desired object changes of the existing one, which may be missing. */
export function reconciled(
  desired: AccessObject,
  existing: AccessObject | undefined,
  { removeExtraPermissions = false, removeExtraSubjects = false }: Removal = {},
): Reconciliation {
  const isRole = desired.roleRef === undefined;
  const { result, missing, removed }: Merged<PolicyRule | RbacV1Subject> = isRole
    ? merged(existing?.rules ?? [], desired.rules ?? [], removeExtraPermissions, (a, b) => uncovered(b, a))
    : merged(existing?.subjects ?? [], desired.subjects ?? [], removeExtraSubjects, without);
  if (!existing) return { operation: "create", object: desired, missing, removed };
  const field = isRole ? "rules" : "subjects";
  const { labels, annotations } = desired.metadata;
  const metadata = {
    ...existing.metadata,
    ...(labels && { labels: { ...labels, ...existing.metadata.labels } }),
    ...(annotations && { annotations: { ...annotations, ...existing.metadata.annotations } }),
  };
  // The role of a binding cannot be changed.
  if (!sameJson(existing.roleRef, desired.roleRef))
    return { operation: "recreate", object: { ...desired, [field]: result }, missing, removed };
  const isChanged = missing.length + removed.length > 0 || !sameJson(metadata, existing.metadata);
  return isChanged
    ? { operation: "update", object: { ...existing, metadata, [field]: result }, missing, removed }
    : { operation: "none", object: existing, missing, removed };
}
