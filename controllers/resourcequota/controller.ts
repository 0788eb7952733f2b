// Resource quota: counts what a namespace has when a quota is new, when its limits change, and from time to time. In
// between the API server keeps the usage, in the same commit as each object. Not a pure decision: the objects are
// listed from the API after the quota was read, so that all it has counted by then are among them.
import { countUsage, type ObjectsOfKind } from "../../api/core/quota/count.ts";
import { usageOfPod } from "../../api/core/quota/covered-claims.ts";
import { type DeviceQuota, isOfDevices } from "../../api/core/quota/device-usage.ts";
import { countsIn } from "../../api/core/quota/usage.ts";
import { pods } from "../../api/core/pods.ts";
import { type ResourceQuota, resourceQuotas } from "../../api/core/resourcequotas.ts";
import { ifFound } from "../../api/errors.ts";
import { sameJson } from "../../api/hash.ts";
import { isStored, type ResourceDefinition } from "../../api/kinds.ts";
import { keyOf } from "../../api/meta.ts";
import { deviceClasses } from "../../api/resource/deviceclasses.ts";
import { resourceClaims } from "../../api/resource/resourceclaims.ts";
import type { Client } from "../../machinery/client.ts";
import { type KeysOf, type Reconciler, watch } from "../../machinery/controller.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";

/** After this long the usage is counted again. Kubernetes: the same. */
const recountMs = 5 * 60_000;

/** Limits that the status does not have concern the quota; its usage does not. */
const changed: KeysOf<ResourceQuota> = (quota, { type }) => {
  const isCounted = quota.status?.used && sameJson(quota.status.hard, quota.spec.hard);
  return isCounted && type !== "added" ? [] : [keyOf(quota)];
};

const countedKinds = (kinds: KindRegistry, quota: ResourceQuota): readonly ResourceDefinition[] =>
  kinds
    .all()
    .filter((r) => r.scope === "Namespaced" && isStored(r))
    .filter((r) => Object.keys(quota.spec.hard ?? {}).some((name) => countsIn(r, name)));

/** What claims for devices count beyond their devices, where the quota limits that. */
async function deviceQuota(quota: ResourceQuota, client: Client): Promise<DeviceQuota | undefined> {
  const { namespace } = quota.metadata;
  if (!Object.keys(quota.spec.hard ?? {}).some(isOfDevices)) return undefined;
  const [classes, all, claims] = await Promise.all([
    client.list(deviceClasses),
    client.list(pods, { namespace }),
    client.list(resourceClaims, { namespace }),
  ]);
  const byName = new Map(all.items.map((pod) => [pod.metadata.name, pod]));
  const objects = { pod: (name: string) => byName.get(name), claims: () => claims.items };
  return { classes: classes.items, covered: (claim) => usageOfPod(claim, objects) };
}

/** The controller of all quotas. */
export function resourceQuotaController(kinds: KindRegistry, client: Client): Reconciler {
  const count = async (quota: ResourceQuota): Promise<Readonly<Record<string, string>>> => {
    const { namespace } = quota.metadata;
    const all = countedKinds(kinds, quota).map(
      async (r): Promise<ObjectsOfKind> => ({ r, objects: (await client.list(r, { namespace })).items }),
    );
    return countUsage(quota, await Promise.all(all), await deviceQuota(quota, client));
  };
  return {
    name: "resourcequota",
    reconciles: resourceQuotas,
    watches: [watch(resourceQuotas, changed)],
    async reconcile(k, views) {
      if (!views.of(resourceQuotas).get(k)) return undefined;
      const quota = await ifFound(client.get(resourceQuotas, k));
      if (!quota || quota.metadata.deletionTimestamp !== undefined) return undefined;
      const status = { hard: quota.spec.hard, used: await count(quota) };
      if (sameJson(status, quota.status)) return { requeueAfter: recountMs };
      // Refused when something was counted meanwhile: then the reconcile is repeated.
      await client.update(resourceQuotas, { ...quota, status }, "status");
      const because = [quota.status?.used ? "its limits changed, or the usage was recounted" : "its usage is unknown"];
      return { requeueAfter: recountMs, because, done: [`count the usage of resourcequotas ${k}`] };
    },
  };
}
