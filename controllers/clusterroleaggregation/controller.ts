// Aggregated cluster roles: keeps the rules of a role that selects others by their labels. Source: the Kubernetes page
// "Using RBAC Authorization", "Aggregated ClusterRoles".
import type { ClusterRole } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { type Key, keyOf } from "../../api/meta.ts";
import { aggregatedRules } from "../../api/rbac/aggregation.ts";
import { clusterRoles } from "../../api/rbac/roles.ts";
import { controller, type Decision, settled, type Views } from "../../machinery/controller.ts";

export interface Observed {
  readonly role: ClusterRole;
  readonly roles: readonly ClusterRole[];
}

/** Applied as Kubernetes does, so that the rules have one owner, also when others write to the role. */
const fieldManager = "clusterrole-aggregation-controller";

export function decide({ role, roles }: Observed): Decision {
  if (role.metadata.deletionTimestamp !== undefined) return settled;
  const rules = aggregatedRules(role, roles);
  if (sameJson(rules, role.rules ?? [])) return settled;
  const { apiVersion, kind } = role;
  const object = { apiVersion, kind, metadata: { name: role.metadata.name }, rules };
  return {
    actions: [
      {
        do: "patch",
        resource: clusterRoles,
        object: role,
        patch: { type: "apply", object, fieldManager, force: true },
      },
    ],
    because: [`the roles it selects have ${rules.length} rules`],
  };
}

const aggregated = "aggregated";
/** Any role may be selected by any other: a change concerns all that select. */
const selecting = (views: Views): readonly Key[] => views.of(clusterRoles).byIndex(aggregated, aggregated).map(keyOf);

export const clusterRoleAggregationController = controller({
  name: "clusterrole-aggregation",
  reconciles: clusterRoles,
  indexes: { [aggregated]: (role) => (role.aggregationRule ? [aggregated] : []) },
  keysOf: (_, { views }) => selecting(views),
  writes: [{ kind: clusterRoles, verbs: ["escalate", "patch"] }],
  observe(views, k) {
    const role = views.of(clusterRoles).get(k);
    return role?.aggregationRule && { role, roles: views.of(clusterRoles).all() };
  },
  decide,
});
