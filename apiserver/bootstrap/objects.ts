// The objects of a fresh cluster: system namespaces and accounts, the service default/kubernetes, the service range,
// priority classes, roles, flow control and APIServices.
import { hasReason } from "../../api/errors.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Draft, type Key, type Instant, key, timestamp, keyOf } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";
import { leadsNowhere } from "../../api/addresses-validate.ts";
import { endpointSlices, serviceLabel } from "../../api/discovery/endpointslices.ts";
import { endpoints } from "../../api/core/endpoints.ts";
import { services } from "../../api/core/services.ts";
import type { World } from "../../machinery/world.ts";
import { block, ipv4Text } from "../admission/services.ts";
import { serviceCidrs } from "../../api/networking/servicecidrs.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import type { Condition } from "../../api/generated/types.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import { immortal } from "../admission/namespaces.ts";
import { priorityClasses, systemPriorities } from "../../api/scheduling/priorityclasses.ts";
import { flowControl } from "./flows.ts";
import { clusterRolesAndBindings } from "./roles.ts";
import { apiServices } from "../../api/apiregistration/apiservices.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import { subscribe } from "../../machinery/signal.ts";
import { priorityOf } from "../discovery/order.ts";

const isThere = (client: Client, r: ResourceDefinition, at: Key): Promise<boolean> =>
  client.get(r, at).then(
    () => true,
    (e: unknown) => {
      if (hasReason(e, "NotFound")) return false;
      throw e;
    },
  );

/**
 * What is there is left as it was found. It looks before it creates, because a service that is there would be refused
 * for its address before it is for its name.
 */
export async function ensure(client: Client, r: ResourceDefinition, draft: Draft<ApiObject>): Promise<void> {
  const { metadata } = draft;
  if (await isThere(client, r, key(metadata.namespace, metadata.name ?? ""))) return;
  await client.create(r, draft).catch((e: unknown) => {
    // Another server that starts just now was faster.
    if (!hasReason(e, "AlreadyExists")) throw e;
  });
}

/** Where the API answers, as pods are to find it. */
export interface Advertised {
  readonly address: string;
  readonly port: number;
  readonly serviceCidr: string;
}

/** The address every pod knows the API by: the first of the services' range. */
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

/** A server that only its own machine can reach has no endpoints: pods elsewhere would find themselves there. */
function targets({ address, port }: Advertised): readonly (readonly [ResourceDefinition, object])[] {
  if (leadsNowhere(address) !== undefined) return [];
  const ports = [{ ...https, port }];
  const ready = { addresses: [address], conditions: { ready: true } };
  return [
    [
      endpoints,
      {
        metadata: { ...own, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
        subsets: [{ addresses: [{ ip: address }], ports }],
      },
    ],
    [
      endpointSlices,
      {
        metadata: { ...own, labels: { [serviceLabel]: own.name } },
        addressType: "IPv4",
        endpoints: [ready],
        ports,
      },
    ],
  ];
}

/** The service is left unchanged; its endpoints are this server's address. */
export async function ownService(client: Client, advertised: Advertised): Promise<void> {
  await ensure(client, services, service(advertised) as Draft<ApiObject>);
  for (const [r, draft] of targets(advertised)) {
    await ensure(client, r, draft as Draft<ApiObject>);
    const { metadata, ...body } = draft as Draft<ApiObject>;
    // A patch that changes nothing writes nothing.
    await client.patch(r, key(own.namespace, own.name), {
      type: "merge",
      patch: { metadata: { labels: metadata.labels }, ...body },
    });
  }
}

const lookEveryMs = 10_000;

/** Keeps them until the signal aborts. */
export async function keepOwnService(
  client: Client,
  advertised: Advertised,
  world: World,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await world.clock.sleep(lookEveryMs, signal).catch(() => {});
    if (signal.aborted) return;
    try {
      await ownService(client, advertised);
    } catch (e) {
      world.log("the API's own service is not as it should be", { error: (e as Error).message });
    }
  }
}

const name = "kubernetes";
/** What has to be there. */
export const serviceRange = (cidr: string) => [serviceCidrs, { metadata: { name }, spec: { cidrs: [cidr] } }] as const;

/** Says that the range is ready, unless it is another one than ours. */
export async function serviceRangeIsReady(client: Client, cidr: string, now: Instant): Promise<void> {
  const range = await client.get(serviceCidrs, key(undefined, name));
  const { conditions = [] } = range.status ?? {};
  if (conditionOf(conditions, "Ready") || range.spec?.cidrs?.[0] !== cidr) return;
  const message = "Kubernetes default Service CIDR is ready";
  const ready: Condition = { type: "Ready", status: "True", reason: "", message, lastTransitionTime: timestamp(now) };
  try {
    await client.update(serviceCidrs, { ...range, status: { conditions: [...conditions, ready] } }, "status");
  } catch (e) {
    // Another server that starts just now was faster.
    if (!hasReason(e, "Conflict")) throw e;
  }
}

const names = [...immortal, "kube-node-lease"];

/** Make what is missing. */
export async function bootstrap(client: Client, advertised: Advertised): Promise<void> {
  for (const name of names) await ensure(client, namespaces, { metadata: { name } } as Draft<ApiObject>);
  for (const namespace of immortal)
    await ensure(client, serviceAccounts, { metadata: { name: "default", namespace } } as Draft<ApiObject>);
  await ownService(client, advertised);
}

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

/** `onstart` marks the objects of built-in groups, `true` those of groups that come and go. */
const label = "kube-aggregator.kubernetes.io/automanaged";
const retryMs = 5_000;

/** The group version of APIServices has none of its own. */
const itself = `${apiServices.version}.${apiServices.group}`;

/** The objects for these kinds, in the order in which their group versions appear. */
export function localApiServices(
  kinds: readonly ResourceDefinition[],
  automanaged: "onstart" | "true" = "onstart",
): readonly (readonly [ResourceDefinition, Draft<ApiObject>])[] {
  const served = new Map(kinds.map(({ group, version }) => [`${version}.${group}`, { group, version }]));
  served.delete(itself);
  return [...served].map(([name, { group, version }]) => [
    apiServices as unknown as ResourceDefinition,
    {
      metadata: { name, labels: { [label]: automanaged } },
      spec: {
        ...(group !== "" && { group }),
        version,
        groupPriorityMinimum: priorityOf(group, version).group,
        versionPriority: priorityOf(group, version).version,
      },
    } as unknown as Draft<ApiObject>,
  ]);
}

async function synchronize(client: Client, kinds: readonly ResourceDefinition[]): Promise<void> {
  const wanted = localApiServices(kinds, "true");
  for (const [r, draft] of wanted) await ensure(client, r, draft);
  const names = new Set(wanted.map(([, { metadata }]) => metadata.name));
  const { items } = await client.list(apiServices);
  for (const item of items) {
    if (names.has(item.metadata.name) || item.metadata.labels?.[label] === undefined) continue;
    await client.delete(apiServices, keyOf(item)).catch((e: unknown) => {
      if (!hasReason(e, "NotFound")) throw e;
    });
  }
}

/** Creates and deletes APIServices as group versions come to be served and cease to be, until the signal is aborted. */
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
