// One APIService for every version of a group this server serves itself.
import { apiServices } from "../../api/apiregistration/apiservices.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { priorityOf } from "../discovery/priorities.ts";

/** The list does not list itself. */
const itself = `${apiServices.version}.${apiServices.group}`;
/** In the order in which the kinds are known. */
export function localApiServices(
  kinds: readonly ResourceDefinition[],
): readonly (readonly [ResourceDefinition, object])[] {
  const served = new Map(kinds.map(({ group, version }) => [`${version}.${group}`, { group, version }]));
  served.delete(itself);
  return [...served].map(([name, { group, version }]) => [
    apiServices,
    {
      metadata: { name, labels: { "kube-aggregator.kubernetes.io/automanaged": "onstart" } },
      spec: {
        ...(group !== "" && { group }),
        version,
        groupPriorityMinimum: priorityOf(group, version).group,
        versionPriority: priorityOf(group, version).version,
      },
    },
  ]);
}
