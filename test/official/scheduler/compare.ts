// Replays a scenario with both schedulers, pod by pod. Both stay in the same state: the original takes the node that
// this project's scheduler has chosen, among those that it finds fit.
import { realWorld } from "../../../machinery/real-world.ts";
import type { Original } from "./kube-scheduler.ts";
import { ownScheduler } from "./own-scheduler.ts";
import type { Manifest, Scenario } from "./scenario.ts";
import { type Difference, differences, type Verdict } from "./verdict.ts";

const { clock } = realWorld(() => {});

export interface Disagreement extends Difference {
  readonly pod: string;
}
export interface Comparison {
  readonly disagreements: readonly Disagreement[];
  readonly placed: number;
  readonly pending: number;
  readonly preemptions: number;
  /**
   * kube-scheduler has evicted pods for a pod and does not try it again: its queueing hints overlook the eviction. The
   * rest of the scenario is left out.
   */
  readonly isStuck: boolean;
}

/** Each pod starts after the ones before it. */
const startTime = (count: number): string => `2026-01-01T01:00:${String(count).padStart(2, "0")}Z`;
const hasEnded = ({ nodeName, reason }: Verdict): boolean => nodeName !== undefined || reason !== undefined;
const isChange = ({ kind, isDeleted }: Manifest): boolean => kind !== "Pod" || isDeleted === true;
const isGated = ({ spec }: Manifest): boolean =>
  ((spec as { readonly schedulingGates?: readonly unknown[] }).schedulingGates ?? []).length > 0;

export async function compare(scenario: Scenario, original: Original, settleMs: number): Promise<Comparison> {
  const disagreements: Disagreement[] = [];
  let [placed, pending, preemptions, isStuck] = [0, 0, 0, false];
  const kube = await original.peer(scenario, settleMs);
  const own = await ownScheduler(scenario);
  try {
    for (const pod of scenario.steps) {
      if (isChange(pod)) {
        for (const peer of [own, kube]) await peer.change(pod);
        await clock.sleep(settleMs);
        continue;
      }
      const a = await own.decide(pod);
      const b = await kube.decide(pod, a);
      isStuck = a.preemption?.nodeName === b.preemption?.nodeName && b.preemption !== undefined && !hasEnded(b);
      if (isStuck) break;
      const found = differences(pod.spec!, a, b).map((difference) => ({ ...difference, pod: pod.metadata.name }));
      disagreements.push(...found);
      // The states differ from here on.
      if (found.some(({ kind }) => kind === "placement" || kind === "preemption")) break;
      if (a.nodeName !== undefined) placed++;
      else pending++;
      if (a.preemption) preemptions++;
      for (const peer of [own, kube])
        if (a.nodeName !== undefined) await peer.start(pod, startTime(placed));
        else if (!isGated(pod)) await peer.remove(pod);
    }
  } finally {
    await own.close();
    await kube.close();
  }
  return { disagreements, placed, pending, preemptions, isStuck };
}
