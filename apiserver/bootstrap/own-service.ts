// The service default/kubernetes and its endpoints, which the server keeps and restores.
import { leadsNowhere } from "../../api/addresses-validate.ts";
import { endpointSlices, serviceLabel } from "../../api/discovery/endpointslices.ts";
import { endpoints } from "../../api/core/endpoints.ts";
import { services } from "../../api/core/services.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Draft, key } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";
import type { World } from "../../machinery/world.ts";
import { ensure } from "./ensure.ts";
import { block, ipv4Text } from "../admission/ranges.ts";

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
