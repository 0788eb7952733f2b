// The objects of a fresh cluster: system namespaces and accounts, the service default/kubernetes, the service range,
// priority classes, roles, flow control and APIServices.
import { ignoring } from "../../api/errors.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Draft, type Instant, key, timestamp, keyOf } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";
import { unreachableReason } from "../../api/addresses-validate.ts";
import { endpointSlices, serviceLabel } from "../../api/discovery/endpointslices.ts";
import { endpoints } from "../../api/core/endpoints.ts";
import { services } from "../../api/core/services.ts";
import type { World } from "../../machinery/world.ts";
import { periodically } from "../maintenance.ts";
import { block, ipv4Text } from "../admission/services.ts";
import { serviceCidrs } from "../../api/networking/servicecidrs.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import type { Condition } from "../../api/generated/types.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import { immortal } from "../admission/namespaces.ts";
import { priorityClasses, systemPriorities } from "../../api/scheduling/priorityclasses.ts";
import { flowControl } from "./flows.ts";
import { apiServices } from "../../api/apiregistration/apiservices.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import { subscribe } from "../../machinery/signal.ts";
import { priorityOf } from "../discovery/order.ts";

/** An object to be created, unless it exists. */
export type BootstrapObject = readonly [ResourceDefinition, object];

/**
 * Creates an object unless it exists; an existing one is left unchanged. Reads before it creates, because an existing
 * service would be refused for its address before its name.
 */
export async function ensure(client: Client, r: ResourceDefinition, object: object): Promise<void> {
  const draft = object as Draft<ApiObject>;
  const { namespace, name = "" } = draft.metadata;
  if (await client.get(r, key(namespace, name)).catch(ignoring("NotFound"))) return;
  try {
    await client.create(r, draft);
  } catch (e) {
    // Another server may start at the same time. A service is then refused for its address.
    if (!(await client.get(r, key(namespace, name)).catch(ignoring("NotFound")))) throw e;
  }
}

/** The address at which pods find the API. */
export interface Advertised {
  readonly address: string;
  readonly port: number;
  readonly serviceCidr: string;
}

/** The cluster address of the API: the first of the services' range. */
export const apiServiceIp = (serviceCidr: string): string => ipv4Text(block(serviceCidr).first + 1);

const own = { name: "kubernetes", namespace: "default" };
const https = { name: "https", protocol: "TCP" };

const service = ({ port, serviceCidr }: Advertised): object => ({
  metadata: { ...own, labels: { component: "apiserver", provider: "kubernetes" } },
  spec: {
    type: "ClusterIP",
    clusterIP: apiServiceIp(serviceCidr),
    ports: [{ ...https, port: 443, targetPort: port }],
  },
});

/** The endpoints of the service. A loopback address has none: pods on other nodes could not reach it. */
function targets(
  addresses: readonly string[],
  port: number,
): readonly (readonly [ResourceDefinition, object, object])[] {
  const reachable = addresses.filter((address) => unreachableReason(address) === undefined).toSorted();
  if (reachable.length === 0) return [];
  const ports = [{ ...https, port }];
  const endpointsOfSlice = reachable.map((address) => ({ addresses: [address], conditions: { ready: true } }));
  return [
    [
      endpoints,
      { "endpointslice.kubernetes.io/skip-mirror": "true" },
      { subsets: [{ addresses: reachable.map((ip) => ({ ip })), ports }] },
    ],
    [endpointSlices, { [serviceLabel]: own.name }, { addressType: "IPv4", endpoints: endpointsOfSlice, ports }],
  ];
}

/** Creates the service default/kubernetes, and points its endpoints at these API servers, by default at this one. */
export async function ownService(
  client: Client,
  advertised: Advertised,
  addresses: readonly string[] = [advertised.address],
): Promise<void> {
  await ensure(client, services, service(advertised));
  for (const [r, labels, body] of targets(addresses, advertised.port)) {
    await ensure(client, r, { metadata: { ...own, labels }, ...body });
    // A patch that changes nothing writes nothing.
    await client.patch(r, key(own.namespace, own.name), { type: "merge", patch: { metadata: { labels }, ...body } });
  }
}

const restoreEveryMs = 10_000;

/** Restores the service and its endpoints until the signal is aborted. */
export const keepOwnService = (
  client: Client,
  advertised: Advertised,
  world: World,
  signal: AbortSignal,
): Promise<void> =>
  periodically(
    world,
    restoreEveryMs,
    "the service of the API not restored",
    () => ownService(client, advertised),
    signal,
  );

const rangeName = "kubernetes";

/** Sets the condition Ready of the range from which this server allocates; another range is left unchanged. */
async function serviceRangeIsReady(client: Client, cidr: string, now: Instant): Promise<void> {
  const range = await client.get(serviceCidrs, key(undefined, rangeName));
  const { conditions = [] } = range.status ?? {};
  if (conditionOf(conditions, "Ready") || range.spec?.cidrs?.[0] !== cidr) return;
  const message = "Kubernetes default Service CIDR is ready";
  const ready: Condition = { type: "Ready", status: "True", reason: "", message, lastTransitionTime: timestamp(now) };
  const status = { conditions: [...conditions, ready] };
  await client.update(serviceCidrs, { ...range, status }, "status").catch(ignoring("Conflict"));
}

/** Creates the system namespaces. */
export async function bootstrapNamespaces(client: Client): Promise<void> {
  for (const name of [...immortal, "kube-node-lease"]) await ensure(client, namespaces, { metadata: { name } });
}

/** Creates the system namespaces with their default accounts, and the service default/kubernetes by `restore`. */
export async function bootstrap(
  client: Client,
  advertised: Advertised,
  restore: () => Promise<void> = () => ownService(client, advertised),
): Promise<void> {
  await bootstrapNamespaces(client);
  for (const namespace of immortal) await ensure(client, serviceAccounts, { metadata: { name: "default", namespace } });
  await restore();
}

const descriptions: Readonly<Record<string, string>> = {
  "system-cluster-critical":
    "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  "system-node-critical": "Used for system critical pods that must not be moved from their current node.",
};
const priorities = Object.entries(systemPriorities).map(
  ([name, value]): BootstrapObject => [priorityClasses, { metadata: { name }, value, description: descriptions[name] }],
);

/** Creates all other bootstrap objects, concurrently, since nothing waits for them. */
export async function bootstrapObjects(
  client: Client,
  kinds: readonly ResourceDefinition[],
  { serviceCidr }: Advertised,
  now: Instant,
): Promise<void> {
  const all: readonly BootstrapObject[] = [
    ...priorities,
    [serviceCidrs, { metadata: { name: rangeName }, spec: { cidrs: [serviceCidr] } }],
    ...flowControl,
    ...[...localApiServices(kinds).values()].map((object): BootstrapObject => [apiServices, object]),
  ];
  await Promise.all(all.map(([r, object]) => ensure(client, r, object)));
  await serviceRangeIsReady(client, serviceCidr, now);
}

/** `onstart` marks the objects of built-in groups, `true` those of groups that are added and removed. */
const label = "kube-aggregator.kubernetes.io/automanaged";
const retryMs = 5_000;

/** APIServices for these kinds by their names, in the order in which the group versions appear; not its own. */
function localApiServices(
  kinds: readonly ResourceDefinition[],
  automanaged: "onstart" | "true" = "onstart",
): ReadonlyMap<string, object> {
  const others = kinds.filter((r) => r.group !== apiServices.group || r.version !== apiServices.version);
  return new Map(
    others.map(({ group, version }) => {
      const name = `${version}.${group}`;
      const { group: groupPriorityMinimum, version: versionPriority } = priorityOf(group, version);
      const spec = { ...(group !== "" && { group }), version, groupPriorityMinimum, versionPriority };
      return [name, { metadata: { name, labels: { [label]: automanaged } }, spec }];
    }),
  );
}

async function synchronize(client: Client, kinds: readonly ResourceDefinition[]): Promise<void> {
  const desired = localApiServices(kinds, "true");
  for (const object of desired.values()) await ensure(client, apiServices, object);
  const { items } = await client.list(apiServices);
  for (const item of items) {
    if (desired.has(item.metadata.name) || item.metadata.labels?.[label] === undefined) continue;
    await client.delete(apiServices, keyOf(item)).catch(ignoring("NotFound"));
  }
}

/** Creates and deletes APIServices as group versions are added and removed, until the signal is aborted. */
export async function keepApiServices(
  client: Client,
  kinds: KindRegistry,
  world: World,
  signal: AbortSignal,
): Promise<void> {
  const changes = subscribe([kinds.changed], signal);
  let isBehind = false;
  while (!signal.aborted) {
    if (isBehind) await world.clock.sleep(retryMs, signal).catch(() => {});
    else await changes.next();
    if (signal.aborted) break;
    try {
      await synchronize(client, kinds.all());
      isBehind = false;
    } catch (e) {
      isBehind = true;
      world.log("APIServices not synchronized", { error: (e as Error).message });
    }
  }
  changes.close();
}
