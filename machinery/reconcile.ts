// The loop every controller runs in: observe, decide, act. It owns retry, back-off and read-your-writes, so that no
// controller has to.
import { hasReason, isAmbiguous } from "../api/errors.ts";
import type { Reason } from "../api/explanation/decisions.ts";
import type { ResourceDefinition } from "../api/kinds.ts";
import type { SpanContext } from "../api/explanation/trace.ts";
import { type ApiObject, controllerOf, type Key, type Revision, revision } from "../api/meta.ts";
import { act, type Action, describeAction } from "./action.ts";
import type { Client } from "./client.ts";
import type { ComponentMetrics, ReconcileResult } from "./component-metrics.ts";
import {
  childrenIn,
  type Controller,
  type Decision,
  type Reconciled,
  type Reconciler,
  settle,
  type Views,
} from "./controller.ts";
import { type DecisionLog, newReasons, reasonOf, type Reasons } from "./decisions.ts";
import { eventRecorder, type EventRecorder } from "./events.ts";
import type { Informer, SharedViews } from "./informer.ts";
import type { Lister } from "./view.ts";
import { type ReconcileSpans, reconcileSpans } from "./reconcile-span.ts";
import { type WorkQueue, workQueue } from "./workqueue.ts";
import type { World } from "./world.ts";

/** What controllers run on, shared by all controllers of a process. */
export interface Runtime {
  readonly client: Client;
  readonly world: World;
  readonly views: Pick<SharedViews, "of">;
  readonly metrics?: ComponentMetrics;
  readonly decisions?: DecisionLog;
}
export interface RunOptions {
  readonly workers?: number;
  /** Only the simulation turns this off, to show what it is for. */
  readonly readYourWrites?: boolean;
}

/** Errors caused by other writers: the action is already done or obsolete. The next reconcile decides. */
const isOvertaken = (e: unknown): boolean => hasReason(e, "AlreadyExists", "NotFound", "Conflict");

/** Up to where history has been written, by kind. */
type Written = Map<ResourceDefinition, Revision>;
const kindsOf = (actions: readonly Action[]): readonly ResourceDefinition[] => [
  ...new Set(actions.flatMap((a) => (a.do === "event" ? [] : [a.resource as ResourceDefinition]))),
];

/** Carries out actions in waves of 1, 2, 4, …: a template the server refuses fails once and not a hundred times. */
async function actAll(actions: readonly Action[], client: Client, events: EventRecorder, written: Written) {
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

type Informers = ReadonlyMap<ResourceDefinition, Informer<ApiObject>>;
/** The informers of what a controller declared, with the indexes it declared. */
const informersOf = ({ watches }: Pick<Reconciler, "watches">, views: Runtime["views"]): Informers =>
  new Map(watches.map(({ kind, indexes }) => [kind, views.of(kind, indexes)]));

/** Counts deletions of controlled objects by the uid of their controller, for as long as that exists. */
function countDeletions(c: Pick<Controller, "owns" | "reconciles">, informers: Informers): ReadonlyMap<string, number> {
  const deletions = new Map<string, number>();
  for (const kind of c.owns)
    informers.get(kind)?.onChange((child, _before, type) => {
      const owner = type === "deleted" ? controllerOf(child) : undefined;
      if (owner && owner.kind === c.reconciles.kind) deletions.set(owner.uid, (deletions.get(owner.uid) ?? 0) + 1);
    });
  informers.get(c.reconciles)?.onChange((o, _before, type) => {
    if (type === "deleted") deletions.delete(o.metadata.uid);
  });
  return deletions;
}

/** The declared views, and no others. */
function declaredViews(name: string, informers: Informers, deletions: ReadonlyMap<string, number>): Views {
  const of = <T extends ApiObject>(kind: ResourceDefinition<T>): Lister<T> => {
    const informer = informers.get(kind as unknown as ResourceDefinition);
    if (informer === undefined) throw new Error(`controller ${name} does not declare that it observes ${kind.plural}`);
    return informer.lister as Lister<ApiObject> as Lister<T>;
  };
  return {
    of,
    childrenOf: (kind, owner, selector) => childrenIn(of(kind), owner, selector),
    deletionsOf: ({ metadata }) => deletions.get(metadata.uid) ?? 0,
  };
}

/** One attempt at a key: what was decided and done, and the error that ended it. */
interface Attempt {
  readonly decision: Reconciled | undefined;
  /** Whether anything was written, or tried. */
  readonly acted?: boolean;
  readonly error?: unknown;
}
/** Works on a key, caused by a span while tracing is on. Returns when the views show what was written. */
type Look = (key: Key, signal: AbortSignal, span?: SpanContext) => Promise<Attempt>;

/** What was decided and done in one look; descriptions only for a log of decisions. */
function reconciled(decisions: readonly Decision[], isLogged: boolean): Reconciled {
  const { requeueAfter } = decisions.at(-1)!;
  const because = decisions.flatMap((d) => d.because ?? []);
  const lines = ({ actions, effect }: Decision): readonly string[] => [
    ...actions.map(describeAction),
    ...(effect ? [effect.description] : []),
  ];
  return {
    because,
    ...(requeueAfter !== undefined && { requeueAfter }),
    ...(isLogged && { done: decisions.flatMap(lines) }),
  };
}

/** Observes, decides, acts, and waits to see what was written: else the next look would write the same again. */
function lookOf(c: Controller, views: Views, informers: Informers, runtime: Runtime, options: RunOptions): Look {
  const { world } = runtime;
  // Views belong to all controllers of the process; what one of them writes, it writes as itself.
  const client = runtime.client.asController(c.account);
  const events = eventRecorder(client, world, { component: `${c.name}-controller` });
  const seen = async (written: Written, signal: AbortSignal): Promise<void> => {
    if (options.readYourWrites === false) return;
    await Promise.all([...written].map(([kind, at]) => informers.get(kind)?.caughtUp(at, signal)));
  };
  return async (key, signal, span) => {
    const observed = c.observe(views, key, world.clock.now());
    if (observed === undefined) return { decision: undefined };
    const decision = c.decide(observed, world.clock.now());
    const written: Written = new Map();
    const decisions = [decision];
    const writer = span ? client.inSpan(span) : client;
    let error: unknown;
    try {
      for (let next: Decision | undefined = decision; next; next = await next.effect?.run()) {
        if (next !== decision) decisions.push(next);
        if (next.actions.length > 0) await actAll(next.actions, writer, events, written);
        if (next.failure !== undefined) throw new Error(next.failure);
      }
    } catch (e) {
      error = e;
      if (isAmbiguous(e) || isOvertaken(e)) {
        const attempted = kindsOf(decisions.flatMap(({ actions }) => actions));
        await Promise.all(
          attempted
            .filter((kind) => informers.has(kind))
            .map(async (kind) => written.set(kind, await settle(runtime.client, kind, world, signal))),
        );
      }
    }
    if (written.size > 0) await seen(written, signal);
    const acted = decisions.some(({ actions, effect }) => actions.length > 0 || effect !== undefined);
    return { decision: reconciled(decisions, runtime.decisions !== undefined), acted, error };
  };
}

/** What the loop needs of a controller of either contract. */
interface Loop extends Pick<Reconciler, "name" | "reconciles" | "watches" | "listen"> {
  readonly initialKeys: readonly Key[];
  readonly views: Views;
  readonly look: Look;
  readonly informers: Informers;
  readonly revision: () => Revision;
}

function record(loop: Loop, key: Key, reasons: readonly Reason[], { decision, error }: Attempt, runtime: Runtime) {
  const { because = [], done = [] } = decision ?? {};
  // A reconcile without actions and reasons is not recorded.
  if (!runtime.decisions || (because.length === 0 && done.length === 0 && error === undefined)) return;
  runtime.decisions.record({
    ...(loop.reconciles && { kind: loop.reconciles.kind }),
    ...{ controller: loop.name, key, reasons, at: runtime.world.clock.now(), revision: loop.revision() },
    ...{ because, actions: done },
    ...(error !== undefined && { error: (error as Error).message }),
  });
}

/** The keys of one loop, and what is known of them while they wait. */
interface Waiting {
  readonly queue: WorkQueue<Key>;
  readonly reasons: Reasons;
  readonly spans: ReconcileSpans | undefined;
}

async function work(
  loop: Loop,
  { queue, reasons, spans }: Waiting,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<void> {
  const { world, metrics } = runtime;
  for await (const key of queue.take(signal)) {
    const began = world.clock.now();
    const because = reasons.take(key);
    const span = spans?.begin(key, because);
    const attempt = await loop
      .look(key, signal, span?.context)
      .catch((error: unknown): Attempt => ({ decision: undefined, error }));
    const { decision, acted = false, error } = attempt;
    const isDueAgain = error !== undefined || decision?.requeueAfter !== undefined;
    span?.end({ acted, because: decision?.because ?? [], error, isDueAgain });
    const ended = (result: ReconcileResult): void => metrics?.reconciled(loop.name, result, world.clock.now() - began);
    if (signal.aborted) return;
    record(loop, key, because, attempt, runtime);
    if (error !== undefined) {
      if (!isOvertaken(error))
        world.log("reconcile failed", { controller: loop.name, key, error: (error as Error).message });
      reasons.add(key, { type: "retry" });
      spans?.enqueued(key);
      queue.retry(key);
      ended("error");
    } else {
      queue.forget(key);
      if (decision?.requeueAfter !== undefined) queue.addAfter(key, decision.requeueAfter);
      ended(decision?.requeueAfter === undefined ? "success" : "requeue_after");
    }
    queue.done(key);
  }
}

/** Runs until the signal aborts. No key is reconciled before every view is filled once. */
async function run(loop: Loop, runtime: Runtime, signal: AbortSignal, workers = 1): Promise<void> {
  const { world, metrics } = runtime;
  const queue = workQueue<Key>(world.clock, signal, metrics?.queue(loop.name));
  metrics?.observe(loop.name, queue);
  const reasons = newReasons();
  const spans = world.tracer && reconcileSpans(world.tracer, loop.name, loop.reconciles);
  const enqueue = (key: Key, reason: Reason): void => {
    reasons.add(key, reason);
    spans?.enqueued(key);
    queue.add(key);
  };
  for (const { kind, keysOf } of loop.watches) {
    const informer = loop.informers.get(kind)!;
    const changed: Parameters<typeof informer.onChange>[0] = (object, before, type) => {
      const keys = keysOf(object, { before, type, views: loop.views, now: world.clock.now() });
      for (const key of keys) enqueue(key, reasonOf(type, object));
    };
    informer.onChange(changed);
    // Views may have been filled before this controller began to listen.
    for (const object of informer.lister.all()) changed(object, undefined, "added");
  }
  loop.listen?.(enqueue, signal);
  for (const key of loop.initialKeys) enqueue(key, { type: "scheduled" });
  try {
    await Promise.all([...loop.informers.values()].map((informer) => informer.caughtUp(revision(0), signal)));
  } catch {
    // Stopped before the first list arrived: there is nothing to do.
    return;
  }
  await Promise.all(Array.from({ length: workers }, () => work(loop, { queue, reasons, spans }, runtime, signal)));
}

/** Runs a pure controller until the signal aborts. */
export function runController(
  c: Controller,
  runtime: Runtime,
  signal: AbortSignal,
  options: RunOptions = {},
): Promise<void> {
  const informers = informersOf(c, runtime.views);
  const views = declaredViews(c.name, informers, countDeletions(c, informers));
  const { name, reconciles, watches, initialKeys } = c;
  const loop: Loop = {
    ...{ name, reconciles, watches, initialKeys, informers, views },
    look: lookOf(c, views, informers, runtime, options),
    revision: () => views.of(c.reconciles).revision,
  };
  return run(loop, runtime, signal, c.serial ? 1 : options.workers);
}

/** Runs a controller of the lower contract until the signal aborts. */
export function runReconciler(r: Reconciler, runtime: Runtime, signal: AbortSignal, workers = 1): Promise<void> {
  const informers = informersOf(r, runtime.views);
  const views = declaredViews(r.name, informers, new Map());
  const look: Look = async (key, own) => ({ decision: await r.reconcile(key, views, own) });
  return run({ ...r, informers, views, look, initialKeys: [], revision: () => revision(0) }, runtime, signal, workers);
}
