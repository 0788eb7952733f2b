// Replays a scenario with both schedulers, pod by pod. Both stay in the same state: the original takes the node that
// this project's scheduler has chosen, among those that it finds fit.
import type { Original } from "./kube-scheduler.ts";
import { ownScheduler } from "./own-scheduler.ts";
import type { Manifest, Scenario } from "./scenario.ts";
import { type Difference, differences } from "./verdict.ts";

export interface Disagreement extends Difference {
  readonly pod: string;
}
export interface Comparison {
  readonly disagreements: readonly Disagreement[];
  readonly placed: number;
  readonly pending: number;
}

const isGated = ({ spec }: Manifest): boolean =>
  ((spec as { readonly schedulingGates?: readonly unknown[] }).schedulingGates ?? []).length > 0;

export async function compare(scenario: Scenario, original: Original, settleMs: number): Promise<Comparison> {
  const disagreements: Disagreement[] = [];
  let [placed, pending] = [0, 0];
  const theirs = await original.peer(scenario, settleMs);
  const own = await ownScheduler(scenario);
  try {
    for (const pod of scenario.pods) {
      const a = await own.decide(pod);
      const b = await theirs.decide(pod, a.nodeName);
      const found = differences(a, b).map((difference) => ({ ...difference, pod: pod.metadata.name }));
      disagreements.push(...found);
      // The states differ from here on.
      if (found.some(({ kind }) => kind === "placement")) break;
      if (a.nodeName !== undefined) placed++;
      else pending++;
      if (a.nodeName !== undefined || isGated(pod)) continue;
      await own.remove(pod);
      await theirs.remove(pod);
    }
  } finally {
    await own.close();
    await theirs.close();
  }
  return { disagreements, placed, pending };
}
