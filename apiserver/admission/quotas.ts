// ResourceQuota: refuses what would exceed a quota, and keeps the usage in its status. The status is committed together
// with each counted object, so it is exact with concurrent writes of several servers, and after the stop of one of
// them.
import { type Charge, charge } from "../../api/core/quota/charge.ts";
import { isMadeForPod, usageOfPod } from "../../api/core/quota/covered-claims.ts";
import type { DeviceQuota } from "../../api/core/quota/device-usage.ts";
import { pods } from "../../api/core/pods.ts";
import { type ResourceQuota, resourceQuotas } from "../../api/core/resourcequotas.ts";
import type { Pod, ResourceV1ResourceClaim as ResourceClaim } from "../../api/generated/types.ts";
import { isStored, type ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, key } from "../../api/meta.ts";
import { deviceClasses } from "../../api/resource/deviceclasses.ts";
import { resourceClaims } from "../../api/resource/resourceclaims.ts";
import type { AdmissionPlugin, Alongside, Replacement } from "../registry/admission.ts";
import { encode, objectOf, prefixOf, remember } from "../registry/codec.ts";
import { forbidden } from "../registry/refusals.ts";
import type { Present, Stored, Write } from "../storage/storage.ts";

/** Reviews and events are never counted. */
const isUncounted = (r: ResourceDefinition): boolean => r.plural === "events" || !isStored(r);

/** One write at a time for each namespace with quotas: concurrent ones would conflict with each other. */
function turns(): (namespace: string) => Promise<() => void> {
  const last = new Map<string, Promise<void>>();
  return async (namespace) => {
    const before = last.get(namespace);
    const { promise, resolve } = Promise.withResolvers<void>();
    last.set(namespace, promise);
    await before;
    return () => {
      if (last.get(namespace) === promise) last.delete(namespace);
      resolve();
    };
  };
}

interface Counted {
  readonly r: ResourceDefinition;
  readonly namespace: string;
  readonly replacement: Replacement;
}

/**
 * What claims for devices count beyond their devices. A claim that was made for a pod is covered by it as long as it
 * exists, so that its removal takes nothing away that its creation did not add; whether it was is looked at once.
 */
function deviceQuota(present: Present, { namespace, replacement: { before } }: Counted): DeviceQuota {
  const all = <T extends ApiObject>(r: ResourceDefinition<T>, within?: string): readonly T[] =>
    present.list(prefixOf(r, within)).map((stored) => objectOf<T>(stored));
  const objects = {
    pod: (name: string) => {
      const stored = present.get(prefixOf(pods) + key(namespace, name));
      return stored && objectOf<Pod>(stored);
    },
    claims: () => all(resourceClaims, namespace),
  };
  const isKnown = before !== undefined && isMadeForPod(before as ResourceClaim);
  return {
    classes: all(deviceClasses),
    covered: (claim) => (isKnown && isMadeForPod(claim) ? "all" : usageOfPod(claim, objects)),
  };
}

/** The quotas that count the object, and what its write changes in them. */
function charges(present: Present, counted: Counted): readonly (readonly [Stored, Charge])[] {
  const { r, namespace, replacement } = counted;
  const { uid } = (replacement.after ?? replacement.before)!.metadata;
  const devices = r.kind === resourceClaims.kind ? deviceQuota(present, counted) : undefined;
  return present.list(prefixOf(resourceQuotas, namespace)).flatMap((stored): readonly (readonly [Stored, Charge])[] => {
    const quota = objectOf<ResourceQuota>(stored);
    const charged = quota.metadata.uid === uid ? undefined : charge(quota, r, replacement, devices);
    return charged ? [[stored, charged]] : [];
  });
}

/** Throws Forbidden where a quota would be exceeded. */
function writesOf(present: Present, counted: Counted): readonly Write[] {
  const { after, before } = counted.replacement;
  return charges(present, counted).map(([stored, charged]) => {
    if ("refused" in charged) throw forbidden(counted.r, (after ?? before)!.metadata.name, charged.refused);
    const quota = objectOf<ResourceQuota>(stored);
    const next: ResourceQuota = { ...quota, status: { ...quota.status, used: charged.used } };
    const value = encode(next);
    remember(value, next);
    return { key: stored.key, expect: stored.modified, value };
  });
}

/** Counts every write of a namespaced object in the quotas of its namespace. */
export function resourceQuota(): AdmissionPlugin {
  const turnOf = turns();
  return {
    name: "ResourceQuota",
    operations: ["CREATE", "UPDATE", "DELETE"],
    handles: (r) => r.scope === "Namespaced" && !isUncounted(r),
    alongside(replacement, { r, namespace = "" }, storage): Promise<Alongside> | undefined {
      const counted = { r, namespace, replacement };
      if (charges(storage.received, counted).length === 0) return undefined;
      return turnOf(namespace).then(async (release) => {
        try {
          return { writes: writesOf(await storage.present(), counted), release };
        } catch (e) {
          release();
          throw e;
        }
      });
    },
  };
}
