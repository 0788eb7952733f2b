// Deletes the content of a namespace that is being deleted, then its finalizer. Not a pure decision: it lists every
// object of every kind from the API itself, since what a view does not show yet would remain for ever.
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
import { deletionConditions, type Remaining } from "./conditions.ts";

/** The finalizer of a namespace that this controller removes. */
const ownFinalizer = "kubernetes";

/** Deletes all objects of one kind, and lists what remains. */
async function empty(client: Client, resource: ResourceDefinition, namespace: string): Promise<Remaining> {
  const { items } = await client.list(resource, { namespace });
  if (items.length === 0) return { resource, count: 0, finalizers: [] };
  const refusals: string[] = [];
  for (const o of items) {
    if (o.metadata.deletionTimestamp !== undefined) continue;
    // Nothing is orphaned: dependents are in this namespace and are deleted as well.
    const how = { uid: o.metadata.uid, propagationPolicy: "Background" } as const;
    await client.delete(resource, keyOf(o), how).catch((e: unknown) => {
      if (hasReason(e, "NotFound", "Conflict")) return;
      // A refusal is reported in the conditions; after a request of unknown fate the next look decides.
      if (!(e instanceof ApiError) || isAmbiguous(e)) throw e;
      refusals.push(e.message);
    });
  }
  const after = (await client.list(resource, { namespace })).items;
  const finalizers = after.flatMap((o) => o.metadata.finalizers ?? []);
  return { resource, count: after.length, finalizers, ...(refusals[0] !== undefined && { failure: refusals[0] }) };
}

/** Pods first (KEP-5080): no pod may outlive the policies that restrict it. */
async function emptyAll(
  client: Client,
  kinds: readonly ResourceDefinition[],
  namespace: string,
): Promise<readonly Remaining[]> {
  const first = await empty(client, pods, namespace);
  if (first.count > 0) return [first];
  const others = kinds.filter((r) => r !== (pods as ResourceDefinition));
  return Promise.all(others.map((r) => empty(client, r, namespace)));
}

/** Empties namespaces of every namespaced kind that is stored at the time, kinds of custom resources included. */
export function namespaceController(kinds: KindRegistry, client: Client, world: World): Reconciler {
  const reported = async (namespace: Namespace, remaining: readonly Remaining[]): Promise<Namespace> => {
    const conditions = deletionConditions(namespace.status?.conditions, remaining, world.clock.now());
    if (sameJson(conditions, namespace.status?.conditions)) return namespace;
    return client.update(namespaces, { ...namespace, status: { ...namespace.status, conditions } }, "status");
  };
  return {
    name: "namespace",
    watches: [watch(namespaces, itself)],
    async reconcile(k, views) {
      const namespace = views.of(namespaces).get(k);
      if (namespace?.metadata.deletionTimestamp === undefined) return undefined;
      if (!namespace.spec.finalizers?.includes(ownFinalizer)) return undefined;
      const contents = kinds.all().filter((r) => r.scope === "Namespaced" && isStored(r));
      const remaining = await emptyAll(client, contents, namespace.metadata.name);
      const latest = await reported(namespace, remaining);
      const left = remaining.filter((r) => r.count > 0);
      if (left.length > 0)
        return { requeueAfter: 500, because: left.map((r) => `${r.count} ${r.resource.plural} are left`) };
      const finalizers = (latest.spec.finalizers ?? []).filter((f) => f !== ownFinalizer);
      await client.update(namespaces, { ...latest, spec: { ...latest.spec, finalizers } }, "finalize");
      return { because: ["it is empty"], done: [`finalize namespaces ${k}`] };
    },
  };
}
