// Bootstrap objects beside the system namespaces: priority classes, roles, flow control, and APIServices. Created
// concurrently, since nothing waits for them.
import { priorityClasses, systemPriorities } from "../../api/scheduling/priorityclasses.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject, Draft, Instant } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";
import { ensure } from "./ensure.ts";
import type { Advertised } from "./own-service.ts";
import { localApiServices } from "./api-services.ts";
import { flowControl } from "./flows.ts";
import { clusterRolesAndBindings } from "./roles.ts";
import { serviceRange, serviceRangeIsReady } from "./service-range.ts";

type Given = readonly [ResourceDefinition, object];

const descriptions: Readonly<Record<string, string>> = {
  "system-cluster-critical":
    "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  "system-node-critical": "Used for system critical pods that must not be moved from their current node.",
};
const priorities: readonly Given[] = Object.entries(systemPriorities).map(([name, value]) => [
  priorityClasses,
  { metadata: { name }, value, description: descriptions[name] },
]);

const givens = (kinds: readonly ResourceDefinition[], { serviceCidr }: Advertised): readonly Given[] => [
  ...priorities,
  serviceRange(serviceCidr),
  ...flowControl,
  ...clusterRolesAndBindings,
  ...localApiServices(kinds),
];

/** Make what is missing; what is there is left as it was found. */
export async function bootstrapObjects(
  client: Client,
  kinds: readonly ResourceDefinition[],
  advertised: Advertised,
  now: Instant,
): Promise<void> {
  await Promise.all(givens(kinds, advertised).map(([r, draft]) => ensure(client, r, draft as Draft<ApiObject>)));
  await serviceRangeIsReady(client, advertised.serviceCidr, now);
}
