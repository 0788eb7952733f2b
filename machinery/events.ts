// Records Kubernetes Events about objects. Repeated events are counted in one object.
import { hasReason } from "../api/errors.ts";
import { events } from "../api/core/events.ts";
import { key, timestamp, type ApiObject } from "../api/meta.ts";
import type { Client } from "./client.ts";
import type { World } from "./world.ts";

export type EventType = "Normal" | "Warning";
export interface EventRecorder {
  /**
   * Never throws and never blocks: an event that cannot be written is logged and lost. `fieldPath` names a container.
   */
  record(object: ApiObject, type: EventType, reason: string, message: string, fieldPath?: string): void;
}
interface EventSource {
  readonly component: string;
  readonly host?: string;
}

/** Events kept for counting; the oldest are dropped first. */
const limit = 1_000;
/** So many are dropped at once: finding the first entry of a Map takes a step for each removed one. */
const dropped = 100;

/** The object that an event is about. */
const involvedObject = ({ apiVersion, kind, metadata }: ApiObject, fieldPath: string | undefined) => {
  const { name, namespace, uid, resourceVersion } = metadata;
  return { apiVersion, kind, name, namespace, uid, resourceVersion, fieldPath };
};

/** A recorder of one component. `source` is shown by `kubectl describe` under From. */
export function eventRecorder(client: Client, world: World, source: EventSource): EventRecorder {
  const recorded = new Map<string, { readonly name: string; readonly namespace: string; count: number }>();
  // One at a time, so that a count never overtakes the event it counts.
  let last = Promise.resolve();

  const write = async (...[object, type, reason, message, fieldPath]: Parameters<EventRecorder["record"]>) => {
    const id = JSON.stringify([object.metadata.uid, type, reason, message, fieldPath]);
    const now = timestamp(world.clock.now());
    const known = recorded.get(id);
    if (known) {
      known.count += 1;
      const patch = { count: known.count, lastTimestamp: now };
      try {
        await client.patch(events, key(known.namespace, known.name), { type: "merge", patch });
        return;
      } catch (e) {
        if (!hasReason(e, "NotFound")) throw e;
      }
    }
    const name = `${object.metadata.name}.${Math.floor(world.random.next() * 2 ** 48)
      .toString(16)
      .padStart(12, "0")}`;
    const created = await client.create(events, {
      kind: "Event",
      metadata: { name, namespace: object.metadata.namespace ?? "default" },
      involvedObject: involvedObject(object, fieldPath),
      ...{ type, reason, message, count: 1, firstTimestamp: now, lastTimestamp: now, source },
      ...{ reportingComponent: source.component, reportingInstance: source.host ?? "" },
    });
    recorded.delete(id);
    recorded.set(id, { name, namespace: created.metadata.namespace ?? "default", count: 1 });
    if (recorded.size > limit) for (const oldest of [...recorded.keys().take(dropped)]) recorded.delete(oldest);
  };

  return {
    record(...event) {
      last = last
        .then(() => write(...event))
        .catch((e: unknown) => world.log("event not written", { reason: event[2], error: (e as Error).message }));
    },
  };
}
