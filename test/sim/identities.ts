// The identities of simulated components: what the default roles do not allow them is refused, and reported.
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from "../../api/generated/types.ts";
import { keyOf } from "../../api/meta.ts";
import { componentUser, controllerUser } from "../../apiserver/authentication/components.ts";
import type { Decision, RequestAttributes, User } from "../../apiserver/authorization/authorizer.ts";
import { decide } from "../../apiserver/authorization/rbac/decide.ts";
import { grants, type Grants } from "../../apiserver/authorization/rbac/grants.ts";
import { defaultAccess } from "../../apiserver/bootstrap/access.ts";
import type { AccessRow } from "../../apiserver/bootstrap/roles/text.ts";
import type { InProcessIdentity } from "../../apiserver/registry/authorized-client.ts";

/** These roles and bindings, as an authorizer knows them. */
export function grantsOf(rows: readonly AccessRow[] = defaultAccess): Grants {
  const all = grants();
  for (const [r, object] of rows) {
    if (r.kind === "Role" || r.kind === "ClusterRole") all.setRole(r.kind, keyOf(object), object as Role | ClusterRole);
    else all.setBinding(keyOf(object), object as RoleBinding | ClusterRoleBinding);
  }
  return all;
}
/** They do not change, so that all lives share them. */
const defaults = grantsOf();

/** Called with every request, and with what was decided. */
export type Authorized = (request: RequestAttributes, decision: Decision) => void;

/** A component with the rights that roles give it, by default the default ones. */
export function identityOf(component: string, authorized: Authorized, roles: Grants = defaults): InProcessIdentity {
  const authorizer = {
    decide(request: RequestAttributes): Decision {
      const decision = decide(roles, request);
      authorized(request, decision);
      return decision;
    },
  };
  const of = (user: User): InProcessIdentity => ({
    ...{ user, authorizer },
    asController: (account) => of(controllerUser(account)),
  });
  return of(componentUser(component));
}

/** A request in one line: who, verb, resource, and group if there is one. */
export const requestText = ({ user, verb, group, resource = "", subresource }: RequestAttributes): string =>
  `${user.name}: ${verb} ${resource}${subresource ? `/${subresource}` : ""}${group ? ` ${group}` : ""}`;
