// Aggregation of cluster roles: the rules of a role that selects others by their labels. Pure.
import type { ClusterRole, PolicyRule } from "../generated/types.ts";
import { sameJson } from "../hash.ts";
import { selects } from "../selector.ts";

const byName = (a: ClusterRole, b: ClusterRole): number => (a.metadata.name < b.metadata.name ? -1 : 1);

/** The rules of the roles that any selector selects, by selector and name, each once; the role itself adds none. */
export function aggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): readonly PolicyRule[] {
  const rules: PolicyRule[] = [];
  const others = all.filter(({ metadata }) => metadata.name !== role.metadata.name).toSorted(byName);
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? [])
    for (const other of others.filter(({ metadata }) => selects(selector, metadata.labels)))
      for (const rule of other.rules ?? []) if (!rules.some((known) => sameJson(known, rule))) rules.push(rule);
  return rules;
}
