// Telling the API where a pod goes, beside the next decision, and keeping its room until the outcome is known.
import { hasReason, isAmbiguous } from "../api/errors.ts";
import type { Pod } from "../api/generated/types.ts";
import { pods } from "../api/core/pods.ts";
import { type Key, keyOf } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import { settle } from "../machinery/controller.ts";
import type { EventRecorder } from "../machinery/events.ts";
import type { Informer } from "../machinery/informer.ts";
import { backoff, type WorkQueue } from "../machinery/workqueue.ts";
import type { World } from "../machinery/world.ts";
import type { SchedulerCache } from "./cache.ts";

/** What a binding touches besides the API. */
export interface BindingPorts {
  readonly view: Informer<Pod>;
  readonly client: Client;
  readonly world: World;
  readonly cache: SchedulerCache;
  readonly queue: WorkQueue<Key>;
  readonly events: EventRecorder;
}

/** Binds a pod whose room has been promised. */
export function binder(
  { view, client, world, cache, queue, events }: BindingPorts,
  signal: AbortSignal,
): (pod: Pod, nodeName: string) => Promise<void> {
  const refused = async (key: Key, e: unknown): Promise<void> => {
    // Refused perhaps because an earlier try of ours got through: then the view will show it.
    await view.caughtUp(await settle(client, world, signal), signal);
    cache.forget(key);
    if (hasReason(e, "NotFound")) return;
    if (!hasReason(e, "Conflict")) world.log("binding refused", { pod: key, error: (e as Error).message });
    queue.retry(key);
  };
  return async (pod, nodeName) => {
    const key = keyOf(pod);
    // The same binding again and again: a lost one may still arrive, and must find its room.
    for (let failures = 1; ; failures++) {
      try {
        await client.update(pods, { ...pod, spec: { ...pod.spec, nodeName } }, "binding");
        queue.forget(key);
        events.record(pod, "Normal", "Scheduled", `Successfully assigned ${key} to ${nodeName}`);
        return;
      } catch (e) {
        if (!isAmbiguous(e)) return refused(key, e);
        await world.clock.sleep(backoff(failures), signal);
      }
    }
  };
}
