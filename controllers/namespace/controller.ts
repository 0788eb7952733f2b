// Deletes the content of a namespace that is being deleted, then its finalizer. Not a pure decision: it lists every
// object of every kind from the API itself, since what a view does not show yet would remain for ever.
import { type Condition, withCondition } from "../../api/conditions.ts";
import type { NamespaceCondition, Namespace } from "../../api/generated/types.ts";
import { type ResourceDefinition, isStored } from "../../api/kinds.ts";
import { type Instant, keyOf } from "../../api/meta.ts";
import { ApiError, hasReason, isAmbiguous } from "../../api/errors.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { pods } from "../../api/core/pods.ts";
import { sameJson } from "../../api/hash.ts";
import type { Client } from "../../machinery/client.ts";
import { itself, type Reconciler, watch } from "../../machinery/controller.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import type { World } from "../../machinery/world.ts";

/** What remains of one kind: the count, the finalizers, and why a deletion failed. */
export interface Remaining {
  readonly resource: ResourceDefinition;
  readonly count: number;
  readonly finalizers: readonly string[];
  readonly failure?: string;
}

/** Reason and message of each condition while it is false. */
const falseConditions: Readonly<Record<string, readonly [reason: string, message: string]>> = {
  NamespaceDeletionDiscoveryFailure: ["ResourcesDiscovered", "All resources successfully discovered"],
  NamespaceDeletionGroupVersionParsingFailure: ["ParsedGroupVersions", "All legacy kube types successfully parsed"],
  NamespaceDeletionContentFailure: [
    "ContentDeleted",
    "All content successfully deleted, may be waiting on finalization",
  ],
  NamespaceContentRemaining: ["ContentRemoved", "All content successfully removed"],
  NamespaceFinalizersRemaining: ["ContentHasNoFinalizers", "All content-preserving finalizers finished"],
};

const listed = (sentences: readonly string[]): string => sentences.toSorted().join(", ");

function deletionFailures(remaining: readonly Remaining[]): readonly Condition[] {
  const failed = remaining.flatMap((r) => r.failure ?? []);
  if (failed.length === 0) return [];
  const message = `Failed to delete all resource types, ${failed.length} remaining: ${listed(failed)}`;
  return [{ type: "NamespaceDeletionContentFailure", status: "True", reason: "ContentDeletionFailed", message }];
}

function remainingContent(remaining: readonly Remaining[]): readonly Condition[] {
  const left = remaining.filter((r) => r.count > 0);
  if (left.length === 0) return [];
  const counts = left.map(({ resource, count }) => `${resource.plural}.${resource.group} has ${count}`);
  const message = `Some resources are remaining: ${listed(counts.map((count) => `${count} resource instances`))}`;
  return [{ type: "NamespaceContentRemaining", status: "True", reason: "SomeResourcesRemain", message }];
}

function remainingFinalizers(remaining: readonly Remaining[]): readonly Condition[] {
  const counts = new Map<string, number>();
  for (const finalizer of remaining.flatMap((r) => r.finalizers))
    counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
  if (counts.size === 0) return [];
  const sentences = [...counts].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
  const message = `Some content in the namespace has finalizers remaining: ${listed(sentences)}`;
  return [{ type: "NamespaceFinalizersRemaining", status: "True", reason: "SomeFinalizersRemain", message }];
}

/** The conditions of a namespace with this remaining content. */
export function deletionConditions(
  before: readonly NamespaceCondition[] | undefined,
  remaining: readonly Remaining[],
  now: Instant,
): readonly NamespaceCondition[] {
  const unmet = [...deletionFailures(remaining), ...remainingContent(remaining), ...remainingFinalizers(remaining)];
  return Object.entries(falseConditions).reduce<readonly NamespaceCondition[]>((all, [type, [reason, message]]) => {
    const condition = unmet.find((c) => c.type === type) ?? { type, status: "False", reason, message };
    return withCondition<NamespaceCondition>(all, condition, now);
  }, before ?? []);
}

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
      // A refusal is reported in the conditions; after an ambiguous request the next reconcile decides.
      if (!(e instanceof ApiError) || isAmbiguous(e)) throw e;
      refusals.push(e.message);
    });
  }
  const after = (await client.list(resource, { namespace })).items;
  const finalizers = after.flatMap((o) => o.metadata.finalizers ?? []);
  return { resource, count: after.length, finalizers, ...(refusals[0] !== undefined && { failure: refusals[0] }) };
}

/** Pods first (KEP-5080): no pod may outlive the policies that restrict it. */
async function emptyAll(client: Client, kinds: readonly ResourceDefinition[], namespace: string) {
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
    reconciles: namespaces,
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
