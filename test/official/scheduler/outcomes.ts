// What becomes of pods in a cluster: bound, pending, or bound after other pods have left.
import { conditionOf } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Pod } from "../../../api/generated/types.ts";
import { type Key, keyOf } from "../../../api/meta.ts";
import type { Client } from "../../../machinery/client.ts";
import { informer } from "../../../machinery/informer.ts";
import type { World } from "../../../machinery/world.ts";

interface Pending {
  readonly reason?: string;
  /** Why it is pending. */
  readonly message?: string;
}
/** Pods were evicted for this one. */
export interface Preemption extends Pending {
  /** The node on which it was expected then. */
  readonly nodeName: string;
  /** The pods that have left. */
  readonly victims: readonly string[];
}
export interface Outcome extends Pending {
  readonly nodeName?: string;
  readonly preemption?: Preemption;
}
function pendingOf({ status }: Pod): Pending | undefined {
  const condition = conditionOf(status?.conditions, "PodScheduled");
  if (condition?.status !== "False") return undefined;
  const { reason, message } = condition;
  return { ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) };
}

export interface Followed {
  /** The pod with this uid while it exists. */
  pod(uid: string): Pod | undefined;
  /** What the scheduler does after `action`, which creates the pod; undefined when it takes too long. */
  outcome(key: Key, action: () => Promise<unknown>): Promise<Outcome | undefined>;
}

/** The pods of a server are followed until the signal aborts. */
export function follow(client: Client, world: World, signal: AbortSignal, patienceMs: number): Followed {
  const view = informer(client, pods, world);
  const changed = new Map<Key, (pod: Pod) => void>();
  view.onChange((pod) => changed.get(keyOf(pod))?.(pod));
  view.run(signal).catch(() => {});
  const bound = (): readonly string[] =>
    [...view.lister.all()].filter((pod) => pod.spec.nodeName !== undefined).map((pod) => keyOf(pod));
  return {
    pod: (uid) => [...view.lister.all()].find(({ metadata }) => metadata.uid === uid),
    async outcome(key, action) {
      await view.caughtUp(await client.revision(pods), signal);
      const before = bound();
      let nomination: (Pending & { readonly nodeName: string }) | undefined;
      const { promise, resolve } = Promise.withResolvers<Outcome | undefined>();
      changed.set(key, (pod) => {
        if (pod.spec.nodeName !== undefined) return resolve({ nodeName: pod.spec.nodeName });
        const pending = pendingOf(pod);
        const { nominatedNodeName } = pod.status ?? {};
        if (pending && !nominatedNodeName) return resolve(pending);
        if (pending && nominatedNodeName) nomination ??= { ...pending, nodeName: nominatedNodeName };
      });
      await action();
      const outcome = await Promise.race([promise, world.clock.sleep(patienceMs, signal).then(() => undefined)]);
      changed.delete(key);
      if (!nomination) return outcome;
      const after = new Set(bound());
      return { ...outcome, preemption: { ...nomination, victims: before.filter((other) => !after.has(other as Key)) } };
    },
  };
}
