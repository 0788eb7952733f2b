// Decides requests by roles and bindings. Source: Kubernetes' RBAC authorizer, whose reasons are shown by kubectl.
import type { PolicyRule } from "../../../api/generated/types.ts";
import type { Decision, RequestAttributes, User } from "../authorizer.ts";
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

/** Allowed by the first rule of any grant. Otherwise other authorizers may allow it. */
export function decide(grants: Grants, request: RequestAttributes): Decision {
  for (const grant of grants.of(request.user, request.resource === undefined ? undefined : request.namespace))
    for (const rule of grants.rulesOf(grant.binding.roleRef, namespaceOf(grant)) ?? [])
      if (ruleAllows(rule, request)) return { allowed: true, reason: `RBAC: allowed by ${described(grant)}` };
  return { allowed: false };
}

/** All rules that a user has in a namespace. */
export function rulesFor(grants: Grants, user: User, namespace: string | undefined): readonly PolicyRule[] {
  const found: PolicyRule[] = [];
  for (const grant of grants.of(user, namespace))
    found.push(...(grants.rulesOf(grant.binding.roleRef, namespaceOf(grant)) ?? []));
  return found;
}
