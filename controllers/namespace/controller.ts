// Empties a namespace that is being deleted, then lets it go. Not a pure decision: it must see every object of every
// kind, and asks the API itself, since what a view does not show yet would be left behind for ever.
import { ApiError, hasReason, isAmbiguous } from "../../api/errors.ts";
import type { Namespace } from "../../api/generated/types.ts";
import { isStored, type ResourceDefinition } from "../../api/kinds.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { pods } from "../../api/core/pods.ts";
import { keyOf } from "../../api/meta.ts";
import { sameJson } from "../../api/hash.ts";
import type { Client } from "../../machinery/client.ts";
import { itself, type Reconciler, watch } from "../../machinery/controller.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import type { World } from "../../machinery/world.ts";
import { emptyingConditions, type Rest } from "./conditions.ts";

/** The finalizer of a namespace that this controller removes. */
const ours = "kubernetes";

/** Ask everything of one kind to go, and look at what is left. */
async function empty(client: Client, resource: ResourceDefinition, namespace: string): Promise<Rest> {
  const { items } = await client.list(resource, { namespace });
  if (items.length === 0) return { resource, count: 0, finalizers: [] };
  const refusals: string[] = [];
  for (const o of items) {
    if (o.metadata.deletionTimestamp !== undefined) continue;
    // Nothing is orphaned: what depends on it is in this namespace, and goes as well.
    const how = { uid: o.metadata.uid, propagationPolicy: "Background" } as const;
    await client.delete(resource, keyOf(o), how).catch((e: unknown) => {
      if (hasReason(e, "NotFound", "Conflict")) return;
      // Of one that refuses to go the namespace tells; whether one has gone that gave no answer, the next look will.
      if (!(e instanceof ApiError) || isAmbiguous(e)) throw e;
      refusals.push(e.message);
    });
  }
  const after = (await client.list(resource, { namespace })).items;
  const finalizers = after.flatMap((o) => o.metadata.finalizers ?? []);
  return { resource, count: after.length, finalizers, ...(refusals[0] !== undefined && { failure: refusals[0] }) };
}

/** Pods first (KEP-5080): nothing may outlive the policies that bound it. */
async function emptyAll(
  client: Client,
  kinds: readonly ResourceDefinition[],
  namespace: string,
): Promise<readonly Rest[]> {
  const first = await empty(client, pods, namespace);
  if (first.count > 0) return [first];
  const others = kinds.filter((r) => r !== (pods as ResourceDefinition));
  return Promise.all(others.map((r) => empty(client, r, namespace)));
}

/** Empties namespaces of every namespaced kind that is stored at the time, kinds of custom resources included. */
export function namespaceController(kinds: KindRegistry, client: Client, world: World): Reconciler {
  const reported = async (namespace: Namespace, rests: readonly Rest[]): Promise<Namespace> => {
    const conditions = emptyingConditions(namespace.status?.conditions, rests, world.clock.now());
    if (sameJson(conditions, namespace.status?.conditions)) return namespace;
    return client.update(namespaces, { ...namespace, status: { ...namespace.status, conditions } }, "status");
  };
  return {
    name: "namespace",
    watches: [watch(namespaces, itself)],
    async reconcile(k, views) {
      const namespace = views.of(namespaces).get(k);
      if (namespace?.metadata.deletionTimestamp === undefined) return undefined;
      if (!namespace.spec.finalizers?.includes(ours)) return undefined;
      const contents = kinds.all().filter((r) => r.scope === "Namespaced" && isStored(r));
      const rests = await emptyAll(client, contents, namespace.metadata.name);
      const latest = await reported(namespace, rests);
      if (rests.some((r) => r.count > 0)) return { requeueAfter: 500 };
      const finalizers = (latest.spec.finalizers ?? []).filter((f) => f !== ours);
      await client.update(namespaces, { ...latest, spec: { ...latest.spec, finalizers } }, "finalize");
      return undefined;
    },
  };
}
