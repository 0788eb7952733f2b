// An object that a kubelet may get and not watch, such as a claim of a pod: it is read when it is needed, often while
// it is not yet as a pod needs it, and rarely after that. Source: the Kubernetes page "Using Node Authorization".
import { hasReason } from "../api/errors.ts";
import type { ResourceDefinition } from "../api/kinds.ts";
import type { ApiObject, Key } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import { backoff } from "../machinery/workqueue.ts";
import type { World } from "../machinery/world.ts";

export interface PolledObject {
  /** As it was read last; undefined when it is not there, or nothing of this node's business. */
  current(): ApiObject | undefined;
  /** Resolves when it was read after this call; the first read counts for all who wait for it. */
  fresh(): Promise<void>;
}

/** How a kind is polled. */
export interface Polling {
  /** Whether the object is as a pod needs it. */
  isSettled(object: ApiObject): boolean;
  /** The interval once it is. */
  readonly settledMs: number;
}

/** The intervals before: each is twice the one before it. */
const shortestMs = 100;
const longestMs = 5_000;

/** Reads an object until the signal aborts, and calls `changed` when it is another version than before. */
export function polledObject(
  { client, world }: { readonly client: Client; readonly world: World },
  [r, at]: readonly [r: ResourceDefinition, at: Key],
  { isSettled, settledMs }: Polling,
  changed: () => void,
  signal: AbortSignal,
): PolledObject {
  let current: ApiObject | undefined;
  let isRead = false;
  let reading: Promise<void> | undefined;
  const first = Promise.withResolvers<void>();

  const readOnce = async (): Promise<void> => {
    const next = await client.get(r, at).catch((e: unknown) => {
      // Before another object leads to this one, a kubelet may not even know that it exists.
      if (hasReason(e, "NotFound", "Forbidden")) return undefined;
      throw e;
    });
    const isChanged = next?.metadata.resourceVersion !== current?.metadata.resourceVersion;
    current = next;
    isRead = true;
    if (isChanged) changed();
    first.resolve();
  };
  const read = (): Promise<void> => {
    reading ??= readOnce()
      .catch((e: Error) => {
        if (!signal.aborted) world.log("object not read", { resource: r.plural, key: at, error: e.message });
      })
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
  const run = async (): Promise<void> => {
    for (let attempts = 1; !signal.aborted; attempts++) {
      await read();
      if (current && isSettled(current)) attempts = 0;
      const wait = attempts === 0 ? settledMs : backoff(attempts, shortestMs, longestMs);
      await world.clock.sleep(wait, signal).catch(() => {});
    }
  };
  void run();
  return {
    current: () => current,
    async fresh() {
      if (!isRead) return first.promise;
      // One that is under way may have begun before what the caller has seen.
      await reading;
      await read();
    },
  };
}
