// Room that was kept for a pod which was expected on a node and is not any more: the pod was deleted, or its group has
// lost members, so that it is kept out of the queue. Pods that wait for the room are tried again.
import type { Pod } from "../api/generated/types.ts";
import { pods as podKind } from "../api/core/pods.ts";
import { keyOf } from "../api/meta.ts";
import { podGroupKeyOf } from "../api/scheduling/podgroups.ts";
import type { Client } from "../machinery/client.ts";
import type { SchedulerCache } from "./cache.ts";
import { assignedPodEvents } from "./cluster-events.ts";
import type { SchedulerPlugin } from "./framework.ts";
import { isPending } from "./ports.ts";
import type { SchedulingQueue } from "./queue.ts";

interface ReleasePorts {
  readonly client: Client;
  readonly cache: SchedulerCache;
  readonly queue: Pick<SchedulingQueue, "notify">;
  readonly pluginsOf: (pod: Pod) => readonly SchedulerPlugin[];
  readonly context: Parameters<NonNullable<SchedulerPlugin["preEnqueue"]>>[1];
}

/** Returns the function that is called for each change of a pod; it updates the cache by `update`. */
export function roomReleaser({ client, cache, queue, pluginsOf, context }: ReleasePorts) {
  const nodeOf = (pod: Pod | undefined): string | undefined =>
    pod && isPending(pod) ? cache.withNomination(pod).status?.nominatedNodeName || undefined : undefined;
  /** For the others, who count the pod where it is expected, it is as if it had been there and left. */
  const released = (pod: Pod, nodeName: string): void =>
    queue.notify(() => assignedPodEvents({ before: { ...pod, spec: { ...pod.spec, nodeName } }, after: undefined }));
  const isKeptOut = (pod: Pod): boolean =>
    pluginsOf(pod).some((plugin) => plugin.preEnqueue?.(pod, context) !== undefined);
  /** When the patch is lost, the next change of the pod leads here again. */
  const withdraw = (pod: Pod): void => {
    const nodeName = nodeOf(pod);
    if (nodeName === undefined || !isKeptOut(pod)) return;
    cache.nominate(pod, undefined);
    const patch = { metadata: { uid: pod.metadata.uid }, status: { nominatedNodeName: null } };
    client.patch(podKind, keyOf(pod), { type: "merge", patch }, "status").catch(() => {});
    released(pod, nodeName);
  };
  return (before: Pod | undefined, after: Pod | undefined, update: () => void): void => {
    const expectedOn = nodeOf(before);
    const group = before && podGroupKeyOf(before);
    update();
    if (before && after === undefined && expectedOn !== undefined) released(before, expectedOn);
    if (after) withdraw(after);
    else if (group !== undefined) for (const member of cache.membersOf(group).values()) withdraw(member);
  };
}
