// A local view of one kind, kept up to date by a watch. Two states, listing and following, and one way back: Expired.
import { hasReason } from "../api/errors.ts";
import type { ResourceDefinition } from "../api/kinds.ts";
import { revision, type ApiObject, type Revision } from "../api/meta.ts";
import { orAborted } from "./abort.ts";
import type { Client, Selection } from "./client.ts";
import { backoff } from "./workqueue.ts";
import { view, type Indexes, type Lister } from "./view.ts";
import type { World } from "./world.ts";

export interface Informer<T extends ApiObject> {
  readonly resource: ResourceDefinition<T>;
  readonly lister: Lister<T>;
  /** Hear of every object that changed or went; the view already shows it. */
  onChange(handler: (object: T, before: T | undefined) => void): void;
  /** Resolves once the view has reached `target`. */
  caughtUp(target: Revision, signal: AbortSignal): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}
/** Nothing seen yet: even revision 0 is ahead of this. */
const unseen = revision(-1);

export interface InformerOptions<T> {
  readonly selection?: Selection;
  readonly indexes?: Indexes<T>;
}

/** Who waits for the view to reach which revision. */
function milestones(): {
  wait(target: Revision, signal: AbortSignal): Promise<void>;
  reached(at: Revision): void;
} {
  const waiters = new Set<{ readonly target: Revision; readonly resolve: () => void }>();
  return {
    wait(target, signal) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const waiter = { target, resolve };
      waiters.add(waiter);
      return orAborted(promise, signal).finally(() => waiters.delete(waiter));
    },
    reached(at) {
      for (const waiter of waiters) if (waiter.target <= at) waiter.resolve();
    },
  };
}

/** Made once per process and kind, and passed to whoever needs the view. */
export function informer<T extends ApiObject>(
  client: Client,
  resource: ResourceDefinition<T>,
  world: World,
  { selection = {}, indexes = {} }: InformerOptions<T> = {},
): Informer<T> {
  const objects = view(indexes);
  let seen = unseen;
  let listed = false;
  const handlers: ((object: T, before: T | undefined) => void)[] = [];
  const arrivals = milestones();

  const advance = (to: Revision): void => {
    if (to > seen) seen = to;
    arrivals.reached(seen);
  };
  const announce = (object: T, before: T | undefined): void => {
    for (const handler of handlers) handler(object, before);
  };
  const listAll = async (): Promise<void> => {
    const items: T[] = [];
    let page = await client.list(resource, { ...selection, limit: 500 });
    items.push(...page.items);
    while (page.next !== undefined) {
      page = await client.list(resource, { ...selection, limit: 500, continue: page.next });
      items.push(...page.items);
    }
    // The whole view changes in one step, so no reader ever sees half a list.
    const changed = objects.replace(items);
    seen = page.revision;
    listed = true;
    advance(page.revision);
    for (const [object, before] of changed) announce(object, before);
  };
  const follow = async (signal: AbortSignal, progressed: () => void): Promise<void> => {
    for await (const event of client.watch(resource, { ...selection, from: seen }, signal)) {
      progressed();
      const before =
        event.type === "applied"
          ? objects.set(event.object)
          : event.type === "deleted"
            ? objects.remove(event.object)
            : undefined;
      advance(event.revision);
      if (event.type !== "progress") announce(event.object, before);
    }
  };

  return {
    resource,
    lister: {
      get: objects.get,
      all: objects.all,
      byIndex: objects.byIndex,
      get revision() {
        return seen;
      },
    },
    onChange: (handler) => void handlers.push(handler),
    caughtUp: (target, signal) => (seen >= target ? Promise.resolve() : arrivals.wait(target, signal)),
    async run(signal) {
      let failures = 0;
      while (!signal.aborted) {
        try {
          if (!listed) await listAll();
          await follow(signal, () => {
            failures = 0;
          });
        } catch (e) {
          if (signal.aborted) return;
          if (hasReason(e, "Expired", "Gone")) listed = false;
          else world.log("watch ended", { resource: resource.plural, error: (e as Error).message });
        }
        // Also after a clean end: a server that hangs up at once must not be asked again at once.
        await world.clock.sleep(backoff(++failures, 50, 2_000), signal).catch(() => {});
      }
    },
  };
}
