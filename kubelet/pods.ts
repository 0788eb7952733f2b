// Starts a worker for each pod of this node and forwards changes in the API and the engine to it.
import type { Pod } from "../api/generated/types.ts";
import { isTerminal } from "../api/core/pod/status.ts";
import { keyOf } from "../api/meta.ts";
import { succeeds } from "../machinery/abort.ts";
import { backoff } from "../machinery/workqueue.ts";
import type { Informer } from "../machinery/informer.ts";
import { admission, pendingResize, type Room } from "./admission.ts";
import { RuntimeUnavailable } from "./runtime.ts";
import type { NodeContext } from "./node-context.ts";
import type { PendingResize } from "./podspec/resources.ts";
import type { Rejection } from "./admission.ts";
import { type PodWorker, podWorker } from "./pod/worker.ts";
import { podsOnDisk } from "./volumes/csi/records.ts";

/** The workers of the node's pods. */
interface PodWorkers {
  contentChanged(podUid: string): void;
  /** Retries the volumes of all pods that wait for one. */
  retryVolumes(): void;
  evict(podUid: string, reason: Rejection): void;
  admit(pod: Pod, room: Room): Rejection | undefined;
  fits(pod: Pod, room: Room): PendingResize | undefined;
  /** Runs until the signal aborts; the containers keep running. */
  run(node: NodeContext, signal: AbortSignal): Promise<void>;
}

const orphanCheckMs = 30_000;

/** `informer` is the view of the pods bound to this node. */
export function podWorkers(informer: Informer<Pod>): PodWorkers {
  const workers = new Map<string, PodWorker>();
  const admitted = new Set<string>();

  /** The other pods that hold resources of this node: admitted and not terminal. */
  const othersHere = (pod: Pod): readonly Pod[] => {
    const isOther = (p: Pod): boolean => p.metadata.uid !== pod.metadata.uid && !isTerminal(p);
    const here = (p: Pod): boolean => p.status?.startTime !== undefined || admitted.has(p.metadata.uid);
    return informer.lister.all().filter((p) => isOther(p) && here(p));
  };

  const ensure = (uid: string, node: NodeContext, signal: AbortSignal): PodWorker => {
    const existing = workers.get(uid);
    if (existing) return existing;
    const worker = podWorker(uid, node);
    workers.set(uid, worker);
    void worker.run(signal).then(() => {
      workers.delete(uid);
      admitted.delete(uid);
    });
    return worker;
  };

  const podChanged = (pod: Pod, before: Pod | undefined, node: NodeContext, signal: AbortSignal): void => {
    if (signal.aborted) return;
    const { uid } = pod.metadata;
    // A pod of the same name may have replaced one whose deletion was missed.
    if (before && before.metadata.uid !== uid) workers.get(before.metadata.uid)?.update("gone");
    const present = informer.lister.get(keyOf(pod))?.metadata.uid === uid;
    if (present) ensure(uid, node, signal).update(pod);
    else workers.get(uid)?.update("gone");
  };

  /** Removes what is left of pods that are not in the API: containers, and volumes that a killed kubelet left. */
  const removeOrphans = async (node: NodeContext, signal: AbortSignal): Promise<void> => {
    const { containers, sandboxes } = await node.runtime.list(undefined, signal);
    const inEngine = [...containers, ...sandboxes].map((c) => c.pod.uid);
    const uids = new Set([...inEngine, ...(await podsOnDisk(node.stateDir)), ...node.devices.podUids()]);
    const known = new Set(informer.lister.all().map((p) => p.metadata.uid));
    for (const uid of uids) if (!known.has(uid) && !workers.has(uid)) ensure(uid, node, signal).update("gone");
    await node.csi.unstageUnused();
  };

  const followEngine = async (node: NodeContext, signal: AbortSignal): Promise<void> => {
    let failures = 0;
    while (!signal.aborted) {
      // Events may have been missed while the stream was not open.
      for (const worker of workers.values()) worker.notify();
      try {
        node.runtime.prepare(signal).catch((e: Error) => {
          if (!(e instanceof RuntimeUnavailable)) node.world.log("engine not prepared", { error: e.message });
        });
        for await (const event of node.runtime.events(signal)) {
          failures = 0;
          workers.get(event.podUid)?.notify();
        }
      } catch (e) {
        if (!signal.aborted && failures === 0) node.world.log("engine events ended", { error: (e as Error).message });
      }
      failures += 1;
      await node.world.clock.sleep(backoff(failures, 100, 2_000), signal).catch(() => {});
    }
  };

  const sweep = async (node: NodeContext, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const isDone = await succeeds(removeOrphans(node, signal));
      await node.world.clock.sleep(isDone ? orphanCheckMs : 1_000, signal).catch(() => {});
    }
  };

  return {
    evict: (uid, reason) => workers.get(uid)?.evict(reason),
    retryVolumes() {
      for (const worker of workers.values()) worker.retryVolumes();
    },
    contentChanged: (uid) => workers.get(uid)?.contentChanged(),
    fits: (pod, room) => pendingResize(pod, othersHere(pod), room),
    admit(pod, room) {
      const rejection = admission(pod, othersHere(pod), room);
      if (rejection === undefined) admitted.add(pod.metadata.uid);
      return rejection;
    },
    async run(node, signal) {
      informer.onChange((pod, before) => podChanged(pod, before, node, signal));
      for (const pod of informer.lister.all()) podChanged(pod, undefined, node, signal);
      await Promise.all([followEngine(node, signal), sweep(node, signal)]);
    },
  };
}
