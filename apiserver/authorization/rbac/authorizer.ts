// The RBAC authorizer: follows roles and bindings, and decides by those it has seen.
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from "../../../api/generated/types.ts";
import { keyOf } from "../../../api/meta.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { clusterRoleBindings, roleBindings } from "../../../api/rbac/rolebindings.ts";
import { clusterRoles, roles } from "../../../api/rbac/roles.ts";
import type { FollowingAuthorizer } from "../authorizer.ts";
import { followKind, type Receive } from "../follow.ts";
import { decide, rulesFor } from "./decide.ts";
import { grants } from "./grants.ts";

/** Denies everything until it follows a cluster. */
export function rbacAuthorizer(): FollowingAuthorizer {
  const all = grants();
  const set: Readonly<Record<string, Receive>> = {
    Role: (o, isGone) => all.setRole("Role", keyOf(o), isGone ? undefined : (o as Role)),
    ClusterRole: (o, isGone) => all.setRole("ClusterRole", keyOf(o), isGone ? undefined : (o as ClusterRole)),
    RoleBinding: (o, isGone) => all.setBinding(keyOf(o), isGone ? undefined : (o as RoleBinding)),
    ClusterRoleBinding: (o, isGone) => all.setBinding(keyOf(o), isGone ? undefined : (o as ClusterRoleBinding)),
  };
  return {
    decide: (request) => decide(all, request),
    rulesFor: (user, namespace) => rulesFor(all, user, namespace),
    rulesOf: all.rulesOf,
    async follow(client, world, signal) {
      const kinds: readonly ResourceDefinition[] = [roles, clusterRoles, roleBindings, clusterRoleBindings];
      await Promise.all(kinds.map((r) => followKind(r, set[r.kind]!, { client, world }, signal)));
    },
  };
}
