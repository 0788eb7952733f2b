// The loop every controller runs in: look, think, act. It owns retry, back-off and read-your-writes, so no controller
// has to.
import { hasReason, isAmbiguous } from "../api/errors.ts";
import type { ResourceDefinition } from "../api/kinds.ts";
import {
  controllerOf,
  key,
  keyOf,
  revision,
  type ApiObject,
  type Instant,
  type Key,
  type Revision,
} from "../api/meta.ts";
import { act, type Action } from "./action.ts";
import type { Client } from "./client.ts";
import { eventRecorder, type EventRecorder } from "./events.ts";
import type { Informer } from "./informer.ts";
import { workQueue, type WorkQueue } from "./workqueue.ts";
import type { World } from "./world.ts";

/** `because` says why, in words a user reads. `requeueAfter` in milliseconds. */
export interface Decision {
  readonly actions: readonly Action[];
  readonly because?: readonly string[];
  readonly requeueAfter?: number;
}
export const settled: Decision = { actions: [] };

/** Which keys to look at again when an object of this kind changes. */
export interface Watch {
  readonly informer: Informer<any>;
  readonly keys: (object: any, before: any) => readonly Key[];
}

/** `observe` reads caches only; `decide` is pure; the loop does the acting. */
export interface Controller<Observed> {
  readonly name: string;
  readonly watches: readonly Watch[];
  readonly observe: (key: Key) => Observed | undefined;
  readonly decide: (observed: Observed, now: Instant) => Decision;
}

/**
 * The lower contract, for the one or two controllers that cannot be a pure decision; they say why at the top of their
 * file.
 */
export interface Reconciler {
  readonly name: string;
  readonly watches: readonly Watch[];
  readonly reconcile: (key: Key, signal: AbortSignal) => Promise<{ readonly requeueAfter?: number } | undefined>;
}

export interface RunOptions {
  readonly workers?: number;
  /** Only the simulation turns this off, to show what it is for. */
  readonly readYourWrites?: boolean;
}

export const itself = (o: ApiObject): readonly Key[] => [keyOf(o)];
/** The key of the object of this kind that manages `o`. */
export const managedBy =
  (kind: string) =>
  (o: ApiObject): readonly Key[] => {
    const owner = controllerOf(o);
    return owner?.kind === kind ? [key(o.metadata.namespace, owner.name)] : [];
  };

/** After a request of unknown fate, ask where history is until someone answers. */
export async function settle(client: Client, world: World, signal: AbortSignal): Promise<Revision> {
  for (;;) {
    try {
      return await client.revision();
    } catch {
      // Whatever kept us from asking, asking again is all there is to do.
      await world.clock.sleep(100, signal);
    }
  }
}

/** Outcomes another writer brought about: what we wanted is done, or no longer ours to do. The next look will tell. */
const overtaken = (e: unknown): boolean => hasReason(e, "AlreadyExists", "NotFound", "Conflict");

/** Up to where history has been written, kind by kind. */
type Frontier = Map<ResourceDefinition, Revision>;
const kindsOf = (actions: readonly Action[]): readonly ResourceDefinition[] => [
  ...new Set(actions.flatMap((a) => (a.do === "event" ? [] : [a.resource as ResourceDefinition]))),
];

/** Carry out actions in waves of 1, 2, 4, …: a template the server refuses fails once and not a hundred times. */
async function actAll(
  actions: readonly Action[],
  client: Client,
  events: EventRecorder,
  written: Frontier,
): Promise<void> {
  for (let start = 0, size = 1; start < actions.length; start += size, size = Math.min(size * 2, 16)) {
    const wave = actions.slice(start, start + size);
    const results = await Promise.allSettled(wave.map((a) => act(a, client, events)));
    for (const [i, r] of results.entries()) {
      const action = wave[i]!;
      if (r.status !== "fulfilled" || r.value === undefined || action.do === "event") continue;
      const kind = action.resource as ResourceDefinition;
      written.set(kind, revision(Math.max(r.value, written.get(kind) ?? 0)));
    }
    const failed = results.find((r) => r.status === "rejected");
    if (failed) throw failed.reason;
  }
}

/** A pure controller as a reconciler: what it wrote it waits to see, or it would write the same thing twice. */
function reconciler<O>(c: Controller<O>, client: Client, world: World, options: RunOptions): Reconciler {
  const events = eventRecorder(client, world, { component: `${c.name}-controller` });
  const seen = (written: Frontier, signal: AbortSignal): Promise<unknown> =>
    Promise.all(
      c.watches.flatMap(({ informer }) => {
        const at = written.get(informer.resource);
        return at === undefined || options.readYourWrites === false ? [] : [informer.caughtUp(at, signal)];
      }),
    );
  return {
    name: c.name,
    watches: c.watches,
    async reconcile(k, signal) {
      const observed = c.observe(k);
      if (observed === undefined) return undefined;
      const decision = c.decide(observed, world.clock.now());
      const written: Frontier = new Map();
      try {
        await actAll(decision.actions, client, events, written);
      } catch (e) {
        if (isAmbiguous(e) || overtaken(e)) {
          const at = await settle(client, world, signal);
          for (const kind of kindsOf(decision.actions)) written.set(kind, at);
        }
        await seen(written, signal);
        throw e;
      }
      await seen(written, signal);
      return decision;
    },
  };
}

async function work(r: Reconciler, queue: WorkQueue<Key>, world: World, signal: AbortSignal): Promise<void> {
  for await (const k of queue.take(signal)) {
    try {
      const result = await r.reconcile(k, signal);
      queue.forget(k);
      if (result?.requeueAfter !== undefined) queue.addAfter(k, result.requeueAfter);
    } catch (e) {
      if (!signal.aborted) {
        if (!overtaken(e)) world.log("reconcile failed", { controller: r.name, key: k, error: (e as Error).message });
        queue.retry(k);
      }
    } finally {
      queue.done(k);
    }
  }
}

/** Run a reconciler until the signal aborts. Nothing is looked at before every view is filled once. */
export async function runReconciler(r: Reconciler, world: World, signal: AbortSignal, workers = 1): Promise<void> {
  const queue = workQueue<Key>(world.clock, signal);
  for (const w of r.watches)
    w.informer.onChange((o, before) => {
      for (const k of w.keys(o, before)) queue.add(k);
    });
  // Views may have been filled before this controller began to listen.
  for (const w of r.watches)
    for (const o of w.informer.lister.all()) for (const k of w.keys(o, undefined)) queue.add(k);
  try {
    await Promise.all(r.watches.map((w) => w.informer.caughtUp(revision(0), signal)));
  } catch {
    // Stopped before the first list arrived: there is nothing to do.
    return;
  }
  await Promise.all(Array.from({ length: workers }, () => work(r, queue, world, signal)));
}

/** Run a pure controller until the signal aborts. */
export const runController = <O>(
  c: Controller<O>,
  client: Client,
  world: World,
  signal: AbortSignal,
  options: RunOptions = {},
): Promise<void> => runReconciler(reconciler(c, client, world, options), world, signal, options.workers);
