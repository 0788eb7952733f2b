// Decides requests by roles and bindings. Source: Kubernetes' RBAC authorizer, whose reasons are shown by kubectl.
import type { PolicyRule } from "../../../api/generated/types.ts";
import { aggregated, quoted } from "../../../api/quote.ts";
import { rbacGroup } from "../../../api/rbac/roles.ts";
import type { Decision, ListedRules, RequestAttributes, User } from "../authorizer.ts";
import { type Grant, type Grants, namespaceOf } from "./grants.ts";
import { ruleAllows } from "./rules.ts";

const described = ({ binding, subject }: Grant): string => {
  const { name, namespace } = binding.metadata;
  const { kind, name: role } = binding.roleRef;
  const whose =
    subject.kind === "ServiceAccount"
      ? `ServiceAccount ${JSON.stringify(`${subject.name}/${subject.namespace || (namespace ?? "")}`)}`
      : `${subject.kind} ${JSON.stringify(subject.name)}`;
  const what = namespace
    ? `RoleBinding ${JSON.stringify(`${name}/${namespace}`)}`
    : `ClusterRoleBinding ${JSON.stringify(name)}`;
  return `${what} of ${kind} ${JSON.stringify(role)} to ${whose}`;
};

const reasons = new WeakMap<Grant, string>();
/** Why a grant allows a request. Kept, since most requests are allowed by few grants. */
function allowedBy(grant: Grant): string {
  const known = reasons.get(grant);
  if (known !== undefined) return known;
  const reason = `RBAC: allowed by ${described(grant)}`;
  reasons.set(grant, reason);
  return reason;
}

const missingRole = ({ binding: { roleRef } }: Grant): string =>
  `${roleRef.kind.toLowerCase()}.${rbacGroup} ${quoted(roleRef.name)} not found`;
const unallowed: Decision = { allowed: false };

/** Allowed by the first rule of any grant. Otherwise other authorizers may allow it. */
export function decide(grants: Grants, request: RequestAttributes): Decision {
  const missing: string[] = [];
  for (const grant of grants.of(request.user, request.resource === undefined ? undefined : request.namespace)) {
    const rules = grants.rulesOf(grant.binding.roleRef, namespaceOf(grant));
    if (!rules) missing.push(missingRole(grant));
    for (const rule of rules ?? []) if (ruleAllows(rule, request)) return { allowed: true, reason: allowedBy(grant) };
  }
  return missing.length === 0 ? unallowed : { allowed: false, reason: `RBAC: ${aggregated(missing)}` };
}

/** All rules that a user has in a namespace, and which roles that the user is bound to are missing. */
export function rulesFor(grants: Grants, user: User, namespace: string | undefined): ListedRules {
  const rules: PolicyRule[] = [];
  const missing: string[] = [];
  for (const grant of grants.of(user, namespace)) {
    const its = grants.rulesOf(grant.binding.roleRef, namespaceOf(grant));
    if (its) rules.push(...its);
    else missing.push(missingRole(grant));
  }
  return { rules, isComplete: true, problems: missing };
}
