// Roles and bindings may only be given by users who have the rights themselves, or the verb `escalate` or `bind`.
// Source: the Kubernetes page "Using RBAC Authorization", "Privilege escalation prevention and bootstrapping".
import type { ClusterRole, PolicyRule, RoleBinding } from "../../../api/generated/types.ts";
import { sameJson } from "../../../api/hash.ts";
import type { ApiObject } from "../../../api/meta.ts";
import { quoted, quotedList } from "../../../api/quote.ts";
import { uncovered } from "../../../api/rbac/coverage.ts";
import { rbacGroup } from "../../../api/rbac/roles.ts";
import {
  type Authorizer,
  type Decision,
  everything,
  privilegedGroup,
  type User,
} from "../../authorization/authorizer.ts";
import type { WriteAttributes } from "../admission.ts";
import { notFound } from "../refusals.ts";
import type { Strategy } from "./strategy.ts";

const allowed: Decision = { allowed: true };
function text({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: PolicyRule): string {
  const parts = Object.entries({
    APIGroups: apiGroups,
    Resources: resources,
    NonResourceURLs: nonResourceURLs,
    ResourceNames: resourceNames,
    Verbs: verbs,
  });
  return `{${parts.flatMap(([name, list]) => (list?.length ? [`${name}:${quotedList(list)}`] : [])).join(", ")}}`;
}

/** Rules that differ by their verbs only, as one. */
const joined = (rules: readonly PolicyRule[]): readonly PolicyRule[] =>
  Map.groupBy(rules, ({ verbs, nonResourceURLs, ...rest }) => JSON.stringify([rest, nonResourceURLs && verbs]))
    .values()
    .flatMap((group) =>
      group[0]!.nonResourceURLs ? group : [{ ...group[0]!, verbs: group.flatMap(({ verbs }) => verbs) }],
    )
    .toArray();

/** Denied when the user does not have all these rights in the namespace. */
function held(
  rules: readonly PolicyRule[],
  user: User,
  namespace: string | undefined,
  authorizer: Authorizer,
): Decision {
  const missing = uncovered(authorizer.rulesFor?.(user, namespace).rules ?? [], rules);
  if (missing.length === 0) return allowed;
  const lines = [...new Set(joined(missing).map(text))].toSorted();
  const who = `user ${quoted(user.name)} (groups=${quotedList(user.groups)})`;
  const reason = `${who} is attempting to grant RBAC permissions not currently held:\n${lines.join("\n")}`;
  return { allowed: false, reason };
}

/** What the server writes itself, and superusers, need no right for. */
const isTrusted = (user: User | undefined): user is undefined => !user || user.groups.includes(privilegedGroup);

const removalMetadata = ["finalizers", "ownerReferences", "managedFields", "resourceVersion"];
const withoutRemovalMetadata = (o: ApiObject): object => ({
  ...o,
  metadata: Object.fromEntries(Object.entries(o.metadata).filter(([name]) => !removalMetadata.includes(name))),
});
/** Whether a write changes only what the garbage collector writes to remove an object. */
const isSameButForRemoval = (next: ApiObject, old: ApiObject | undefined): boolean =>
  old !== undefined && sameJson(withoutRemovalMetadata(next), withoutRemovalMetadata(old));

const hasAggregation = (role: ApiObject | undefined): boolean =>
  ((role as ClusterRole | undefined)?.aggregationRule?.clusterRoleSelectors ?? []).length > 0;

async function mayGrant(by: WriteAttributes, next: ApiObject, authorizer: Authorizer): Promise<Decision> {
  const { r, name, namespace, old, options } = by;
  const { user } = options;
  if (isTrusted(user) || isSameButForRemoval(next, old)) return allowed;
  const about = { group: rbacGroup, version: "*", resource: r.plural, name, ...(namespace && { namespace }) };
  if ((await authorizer.decide({ ...about, user, verb: "escalate" })).allowed) return allowed;
  const decision = held((next as ClusterRole).rules ?? [], user, namespace, authorizer);
  if (!decision.allowed || !(hasAggregation(next) || hasAggregation(old))) return decision;
  return held(everything, user, namespace, authorizer).allowed
    ? allowed
    : { allowed: false, reason: "must have cluster-admin privileges to use the aggregationRule" };
}

async function mayBind(by: WriteAttributes, next: ApiObject, authorizer: Authorizer): Promise<Decision> {
  const { namespace, old, options } = by;
  const { user } = options;
  if (isTrusted(user) || isSameButForRemoval(next, old)) return allowed;
  const { roleRef } = next as RoleBinding;
  const resource = roleRef.kind === "ClusterRole" ? "clusterroles" : "roles";
  const about = { group: rbacGroup, version: "*", resource, name: roleRef.name, ...(namespace && { namespace }) };
  if ((await authorizer.decide({ ...about, user, verb: "bind" })).allowed) return allowed;
  const rules = authorizer.rulesOf?.(roleRef, namespace);
  if (!rules) throw notFound({ group: rbacGroup, plural: resource, kind: roleRef.kind }, roleRef.name);
  return held(rules, user, namespace, authorizer);
}

export const roleStrategy: Partial<Strategy> = { authorize: mayGrant };
export const roleBindingStrategy: Partial<Strategy> = { authorize: mayBind };
