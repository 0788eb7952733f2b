// ResourceQuota: refuses what would exceed a quota, and keeps the usage in its status. The status is committed together
// with each counted object, so it is exact with concurrent writes of several servers, and after the stop of one of
// them.
import { type Charge, charge } from "../../api/core/quota/charge.ts";
import { type ResourceQuota, resourceQuotas } from "../../api/core/resourcequotas.ts";
import { isStored, type ResourceDefinition } from "../../api/kinds.ts";
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

/** The quotas that count the object, and what its write changes in them. */
function charges(present: Present, { r, namespace, replacement }: Counted): readonly (readonly [Stored, Charge])[] {
  const { uid } = (replacement.after ?? replacement.before)!.metadata;
  return present.list(prefixOf(resourceQuotas, namespace)).flatMap((stored): readonly (readonly [Stored, Charge])[] => {
    const quota = objectOf<ResourceQuota>(stored);
    const charged = quota.metadata.uid === uid ? undefined : charge(quota, r, replacement);
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
