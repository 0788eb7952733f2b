// Makes room for a pod: its victims are evicted beside the next decisions, and it is expected on their node. Source:
// KEP-4832 (asynchronous preemption); KEP-3329 (the DisruptionTarget condition).
import { hasReason } from "../api/errors.ts";
import { pods } from "../api/core/pods.ts";
import type { Pod } from "../api/generated/types.ts";
import { keyOf, type Revision, timestamp } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import type { EventRecorder } from "../machinery/events.ts";
import type { Informer } from "../machinery/informer.ts";
import type { World } from "../machinery/world.ts";
import type { SchedulerCache } from "./cache.ts";
import type { PodInfo } from "./node-info.ts";
import type { SchedulingQueue } from "./queue.ts";

interface PreemptionPorts {
  readonly view: Informer<Pod>;
  readonly client: Client;
  readonly world: World;
  readonly queue: SchedulingQueue;
  readonly cache: SchedulerCache;
}
export interface Preemption {
  /** Who needs the room: as messages call it, and the uid. */
  readonly preemptor: { readonly type: "pod" | "podgroup"; readonly uid: string; readonly priority: number };
  /** Its pods, with the nodes on which they are expected, if they are. */
  readonly expected: readonly (readonly [pod: Pod, nodeName: string | undefined])[];
  /** The name of its profile. */
  readonly profile: string;
  /** Where the victims are, as their events say it. */
  readonly place: string;
  readonly victims: readonly PodInfo[];
  readonly events: EventRecorder;
}

/**
 * Returns the revision at which the victim is on its way out, if this eviction is what makes it leave. The pod's name
 * may be another pod's by now: nothing is done to that one.
 */
async function evict(
  victim: Pod,
  { preemptor: { type, uid: preemptorUid }, profile, place, events }: Preemption,
  { client, world }: PreemptionPorts,
): Promise<Revision | undefined> {
  const key = keyOf(victim);
  const { uid } = victim.metadata;
  const condition = {
    ...{ type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler" },
    message: `${profile}: preempting to accommodate a higher priority ${type}`,
    lastTransitionTime: timestamp(world.clock.now()),
  };
  const patch = { metadata: { uid }, status: { conditions: [condition] } };
  try {
    await client.patch(pods, key, { type: "strategic", patch }, "status");
    const deletedAt = await client.delete(pods, key, { uid });
    events.record(victim, "Normal", "Preempted", `Preempted by ${type} ${preemptorUid} on node ${place}`);
    return deletedAt;
  } catch (e) {
    if (hasReason(e, "NotFound", "Conflict")) return undefined;
    throw e;
  }
}

/** Less important pods do not expect the room any more. */
async function withdraw(others: readonly PodInfo[], { client, cache }: PreemptionPorts): Promise<void> {
  for (const { pod } of others) cache.nominate(pod, undefined);
  const patch = { status: { nominatedNodeName: null } };
  const writes = others.map(({ key }) => client.patch(pods, key, { type: "merge", patch }, "status"));
  await Promise.allSettled(writes);
}

/** Pods that are expected on these nodes, and are less important. */
function lesserOn({ expected, preemptor }: Preemption, cache: SchedulerCache): readonly PodInfo[] {
  const { nominated } = cache.snapshot();
  const names = [...new Set(expected.flatMap(([, nodeName]) => nodeName ?? []))];
  const own = new Set(expected.map(([pod]) => keyOf(pod)));
  const isLesser = (other: PodInfo): boolean => other.priority < preemptor.priority && !own.has(other.key);
  return names.flatMap((name) => nominated.get(name) ?? []).filter(isLesser);
}

/**
 * Starts an eviction and returns. Until the view shows all victims on their way out the pods are not tried again: they
 * would look for more of them.
 */
export function preempting(ports: PreemptionPorts, signal: AbortSignal): (preemption: Preemption) => void {
  const { view, world, queue, cache } = ports;
  const run = async (preemption: Preemption): Promise<void> => {
    const { expected, victims } = preemption;
    try {
      const evictions = victims.map((victim) => evict(victim.pod, preemption, ports));
      const [revisions] = await Promise.all([Promise.all(evictions), withdraw(lesserOn(preemption, cache), ports)]);
      for (const deletedAt of revisions) if (deletedAt !== undefined) await view.caughtUp(deletedAt, signal);
    } catch (e) {
      if (signal.aborted) return;
      const [[first] = []] = expected;
      world.log("preemption failed", { pod: first && keyOf(first), error: (e as Error).message });
      for (const [pod] of expected) queue.fail(keyOf(pod));
    }
    for (const [pod] of expected) queue.release(keyOf(pod));
  };
  return (preemption) => {
    for (const [pod, nodeName] of preemption.expected) {
      queue.hold(keyOf(pod), "DefaultPreemption");
      cache.nominate(pod, nodeName);
    }
    void run(preemption);
  };
}
