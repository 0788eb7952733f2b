// Several API servers over one store: each keeps a lease, and the endpoints of the service default/kubernetes are those
// whose leases are renewed. Kubernetes: the lease endpoint reconciler, and the identity leases of KEP-1965.
import { type Lease, leases } from "../../api/coordination/leases.ts";
import { ifFound } from "../../api/errors.ts";
import { type Instant, key, keyOf, microTimestamp } from "../../api/meta.ts";
import { hashName } from "../../api/hash.ts";
import type { Client } from "../../machinery/client.ts";
import type { World } from "../../machinery/world.ts";
import { periodically } from "../maintenance.ts";
import { type Advertised, ownService } from "./objects.ts";

const namespace = "kube-system";
const identityLabel = { "apiserver.kubernetes.io/identity": "kube-apiserver" };
const addressAnnotation = "orrery.dev/advertise-address";
const renewEveryMs = 2_000;
/** Without a renewal for this long, a server is taken out of the endpoints. Kubernetes: 15 s. */
const leaseSeconds = 6;

/** The API servers that share a store, as one of them sees them. */
export interface Peers {
  /** Renews the own lease, and restores the service and its endpoints. */
  reconcile(): Promise<void>;
  /** The same until the signal is aborted; then this server is taken out of the endpoints. */
  keep(signal: AbortSignal): Promise<void>;
}

/** When each lease was last seen to change, by the local clock. */
export function renewals(): { isAlive(lease: Lease, now: Instant): boolean } {
  const seen = new Map<string, { readonly renewTime: string | undefined; readonly at: Instant }>();
  return {
    isAlive({ metadata: { name }, spec: { renewTime } }, now) {
      const last = seen.get(name);
      if (last?.renewTime === renewTime && last) return now - last.at < leaseSeconds * 1000;
      seen.set(name, { renewTime, at: now });
      return true;
    },
  };
}

/** The API servers, of which this one is at the advertised address. */
export function apiServerPeers(client: Client, advertised: Advertised, world: World): Peers {
  const { address } = advertised;
  const name = `apiserver-${hashName(address, 10)}`;
  const { isAlive } = renewals();
  const renew = async (): Promise<void> => {
    const spec = {
      holderIdentity: `${name}_${address}`,
      leaseDurationSeconds: leaseSeconds,
      renewTime: microTimestamp(world.clock.now()),
    };
    const own = await ifFound(client.get(leases, key(namespace, name)));
    if (own) return void (await client.update(leases, { ...own, spec }));
    const metadata = { name, namespace, labels: identityLabel, annotations: { [addressAnnotation]: address } };
    await client.create(leases, { kind: "Lease", metadata, spec });
  };
  /** The addresses of the other servers; leases that are not renewed are deleted. */
  const others = async (): Promise<readonly string[]> => {
    const [[label, value] = []] = Object.entries(identityLabel);
    const { items } = await client.list(leases, { namespace, labelSelector: `${label}=${value}` });
    const alive: string[] = [];
    for (const lease of items.filter(({ metadata }) => metadata.name !== name)) {
      const { resourceVersion, annotations } = lease.metadata;
      if (isAlive(lease, world.clock.now())) alive.push(annotations?.[addressAnnotation] ?? "");
      // Another server may be faster, or the lease renewed after all.
      else await client.delete(leases, keyOf(lease), { resourceVersion }).catch(() => {});
    }
    return alive.filter((peer) => peer !== "");
  };
  const reconcile = async (): Promise<void> => {
    await renew();
    await ownService(client, advertised, [address, ...(await others())]);
  };
  const leave = async (): Promise<void> => {
    await client.delete(leases, key(namespace, name));
    const remaining = await others();
    if (remaining.length > 0) await ownService(client, advertised, remaining);
  };
  return {
    reconcile,
    async keep(signal) {
      await periodically(world, renewEveryMs, "the endpoints of the API not restored", reconcile, signal);
      await leave().catch((e: unknown) => {
        world.log("the endpoints of the API still have this server", { error: (e as Error).message });
      });
    },
  };
}
