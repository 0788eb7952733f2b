// One APIService for every version of a group this server serves itself.
import { apiServices } from "../../api/kinds/apiservices.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";

/** Which groups clients should look at first: a higher number is earlier. */
const priorities: Readonly<Record<string, number>> = {
  "": 18_000,
  apps: 17_800,
  "events.k8s.io": 17_750,
  "authentication.k8s.io": 17_700,
  "authorization.k8s.io": 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  "certificates.k8s.io": 17_300,
  "networking.k8s.io": 17_200,
  policy: 17_100,
  "rbac.authorization.k8s.io": 17_000,
  "storage.k8s.io": 16_800,
  "apiextensions.k8s.io": 16_700,
  "admissionregistration.k8s.io": 16_700,
  "scheduling.k8s.io": 16_600,
  "coordination.k8s.io": 16_500,
  "node.k8s.io": 16_300,
  "discovery.k8s.io": 16_200,
  "flowcontrol.apiserver.k8s.io": 16_100,
  "resource.k8s.io": 15_900,
};
const otherPriority = 100;
/** The list does not list itself. */
const itself = `${apiServices.version}.${apiServices.group}`;
/** Within a group the newest version comes first; where there is but one, the number says nothing. */
const versionPriority = (group: string, version: string): number =>
  group === "" ? 1 : group === "autoscaling" && version === "v2" ? 30 : 15;

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
        groupPriorityMinimum: priorities[group] ?? otherPriority,
        versionPriority: versionPriority(group, version),
      },
    },
  ]);
}
