// Serves the kinds of CustomResourceDefinitions: adds them when their names are accepted, replaces them when a
// definition changes, and removes them, with their objects, when it is deleted. Every API server does so for itself.
import { customResourceDefinitions } from "../../api/apiextensions/customresourcedefinitions.ts";
import { type CompileRules, customKinds } from "../../api/apiextensions/custom-kinds.ts";
import { withCondition } from "../../api/conditions.ts";
import { hasReason, ignoring } from "../../api/errors.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionStatus } from "../../api/generated/types.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type Key, keyOf } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";
import { type Informer, informer } from "../../machinery/informer.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import { newSignal, subscribe } from "../../machinery/signal.ts";
import type { World } from "../../machinery/world.ts";
import { cleanupFinalizer } from "../registry/strategies/custom-resource-definitions.ts";
import { holds, isWritten, statusAmong } from "./names.ts";

/** How often objects are looked for whose own finalizers keep them. */
const cleanupEveryMs = 500;
const retryMs = 1_000;

interface Context {
  readonly client: Client;
  readonly kinds: KindRegistry;
  readonly world: World;
  readonly compile: CompileRules;
}

/** The kinds that are served for definitions, by the keys of these. */
function servedKinds({ kinds, compile }: Context) {
  const served = new Map<Key, { readonly version: string; readonly kinds: readonly ResourceDefinition[] }>();
  const removeAll = (gone: readonly ResourceDefinition[]): void => {
    for (const r of gone) kinds.remove(r);
  };
  return {
    of: (key: Key): readonly ResourceDefinition[] => served.get(key)?.kinds ?? [],
    /** Serves the kinds of a definition, unless they are served already. */
    put(crd: CustomResourceDefinition): void {
      const key = keyOf(crd);
      // A definition that was deleted and created again begins with the same generation.
      const version = `${crd.metadata.uid} ${crd.metadata.generation}`;
      const before = served.get(key);
      if (before?.version === version) return;
      const next = customKinds(crd, compile);
      const versions = new Set(next.map((r) => r.version));
      removeAll((before?.kinds ?? []).filter((r) => !versions.has(r.version)));
      // A kind of the program itself is never replaced.
      kinds.add(...next.filter((r) => kinds.of(r)?.custom !== undefined || kinds.of(r) === undefined));
      served.set(key, { version, kinds: next });
    },
    remove(key: Key): void {
      removeAll(served.get(key)?.kinds ?? []);
      served.delete(key);
    },
  };
}
type ServedKinds = ReturnType<typeof servedKinds>;

const withStatus = (
  crd: CustomResourceDefinition,
  status: CustomResourceDefinitionStatus,
): CustomResourceDefinition => ({ ...crd, status });

/** Deletes all objects of a kind. Returns how many there still are. */
async function deleteObjects({ client }: Context, r: ResourceDefinition): Promise<number> {
  const { items } = await client.list(r);
  for (const object of items) {
    if (object.metadata.deletionTimestamp !== undefined) continue;
    const precondition = { uid: object.metadata.uid };
    await client.delete(r, keyOf(object), precondition).catch(ignoring("NotFound", "Conflict"));
  }
  return items.length === 0 ? 0 : (await client.list(r, { limit: 1 })).items.length;
}

/** Deletes the objects of a definition, then lets it go. Returns false while objects are held by finalizers. */
async function cleanUp(context: Context, crd: CustomResourceDefinition, [r]: readonly ResourceDefinition[]) {
  if (r && (await deleteObjects(context, r)) > 0) return false;
  const { client, world } = context;
  const done = { type: "Terminating", status: "False", reason: "InstanceDeletionCompleted" };
  const ended = { ...done, message: "removed all instances" };
  const status = { ...crd.status, conditions: withCondition(crd.status?.conditions, ended, world.clock.now()) };
  const written = await client.update(customResourceDefinitions, withStatus(crd, status), "status");
  const finalizers = (written.metadata.finalizers ?? []).filter((name) => name !== cleanupFinalizer);
  await client.update(customResourceDefinitions, { ...written, metadata: { ...written.metadata, finalizers } });
  return true;
}

/** Brings what is served in line with a definition. Returns false when that has to be repeated. */
async function reconcile(
  context: Context,
  definitions: Informer<CustomResourceDefinition>,
  served: ServedKinds,
  key: Key,
): Promise<boolean> {
  const crd = definitions.lister.get(key);
  if (!crd) {
    served.remove(key);
    return true;
  }
  const { client, world } = context;
  if (crd.metadata.deletionTimestamp !== undefined) {
    if (holds(crd, "Established")) served.put(crd);
    const isHeld = crd.metadata.finalizers?.includes(cleanupFinalizer) === true;
    return !isHeld || cleanUp(context, crd, served.of(key));
  }
  const others = definitions.lister.all().filter((o) => o.spec.group === crd.spec.group && keyOf(o) !== key);
  const status = statusAmong(crd, others, world.clock.now());
  const next = withStatus(crd, status);
  // Before the condition is written, so that whoever waits for it finds the kind.
  if (holds(next, "Established")) served.put(next);
  if (!isWritten(crd, status)) await client.update(customResourceDefinitions, next, "status");
  return true;
}

/** Resolves when the kinds of the present definitions are served; changes follow until the signal aborts. */
export async function serveCustomResources(context: Context, signal: AbortSignal): Promise<void> {
  const { client, world } = context;
  const definitions = informer(client, customResourceDefinitions, world);
  const served = servedKinds(context);
  const pending = new Set<Key>();
  const changed = newSignal();
  const enqueue = (key: Key): void => {
    pending.add(key);
    changed.notify();
  };
  const later = (key: Key, ms: number): void =>
    void world.clock.sleep(ms, signal).then(
      () => enqueue(key),
      () => {},
    );
  definitions.onChange((crd, _, type) => {
    enqueue(keyOf(crd));
    // Its names are free for others.
    if (type === "deleted")
      for (const other of definitions.lister.all()) if (other.spec.group === crd.spec.group) enqueue(keyOf(other));
  });
  const workOff = async (): Promise<void> => {
    for (const key of pending) {
      pending.delete(key);
      try {
        if (!(await reconcile(context, definitions, served, key))) later(key, cleanupEveryMs);
      } catch (e) {
        if (signal.aborted) return;
        // Another server, or a user, was faster.
        if (!hasReason(e, "Conflict", "NotFound"))
          world.log("custom resource definition not reconciled", { name: key, error: (e as Error).message });
        later(key, retryMs);
      }
    }
  };
  const run = async (): Promise<void> => {
    const subscription = subscribe([changed], signal);
    while (!signal.aborted) {
      await workOff();
      await subscription.next();
    }
    subscription.close();
  };
  const { revision } = await client.list(customResourceDefinitions, { limit: 1 });
  definitions.run(signal).catch((e: unknown) => world.log("definitions not followed", { error: (e as Error).message }));
  await definitions.caughtUp(revision, signal);
  for (const crd of definitions.lister.all()) if (holds(crd, "Established")) served.put(crd);
  void run();
}
