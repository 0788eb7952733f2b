// One run, step by step: evict a pod, wait until the one that replaces it is ready, plan again. A plan is only as good
// as the state it was made from; made anew for every step, it follows what other programs do meanwhile. Pure.
import { budgetsOf } from "../../api/core/pod/evictions.ts";
import { isActive, isReady } from "../../api/core/pod/status.ts";
import type { Pod } from "../../api/generated/types.ts";
import { controllerOf, type Instant, keyOf } from "../../api/meta.ts";
import { type Eviction, evictionOf, type Move, type Situation } from "./draft.ts";
import type { Cluster, Settings } from "./ports.ts";
import { planOf } from "./plan.ts";

/** An eviction under way, and how its controller's pods were before. */
interface Pending {
  readonly move: Move;
  readonly since: Instant;
  readonly siblings: ReadonlySet<string>;
  readonly ready: number;
}
/** What a run has done so far. */
export interface Progress {
  readonly done: readonly Eviction[];
  /** Uids of pods whose eviction was refused. */
  readonly refused: ReadonlySet<string>;
  readonly pending?: Pending;
}
export const noProgress: Progress = { done: [], refused: new Set() };

export type Step =
  | { readonly do: "evict"; readonly move: Move }
  | { readonly do: "wait"; readonly because: string }
  | { readonly do: "end"; readonly because: string };

const graceMs = ({ spec }: Pod): number => (spec.terminationGracePeriodSeconds ?? 30) * 1000;

/** What an eviction changes. */
type Affected = Pick<Cluster, "pods" | "budgets">;

const siblingsOf = (pod: Pod, { pods }: Affected): readonly Pod[] =>
  pods.filter((other) => controllerOf(other)?.uid === controllerOf(pod)?.uid && isActive(other));

/** Pods that were created in the place of the evicted one. */
export const successorsOf = ({ move, siblings }: Pending, affected: Affected): readonly Pod[] =>
  siblingsOf(move.pod, affected).filter(({ metadata }) => !siblings.has(metadata.uid));

/** What an eviction waits for; undefined when nothing is left to wait for. */
function awaited({ move, siblings, ready }: Pending, affected: Affected): string | undefined {
  const { pod } = move;
  if (affected.pods.some(({ metadata }) => metadata.uid === pod.metadata.uid)) return `${keyOf(pod)} is ending`;
  const present = siblingsOf(pod, affected);
  const homeless = present.find(({ spec }) => spec.nodeName === undefined);
  if (homeless) return `${keyOf(homeless)} has no node yet`;
  if (present.length < siblings.size || present.filter(isReady).length < ready)
    return `the pod that replaces ${keyOf(pod)} is not ready`;
  const spent = budgetsOf(pod, affected.budgets).find(({ status }) => (status?.disruptionsAllowed ?? 0) < 1);
  return spent && `budget ${spent.metadata.name} allows no disruption yet`;
}

/** The progress after an eviction that the server has accepted. */
export function evicted(progress: Progress, move: Move, cluster: Affected, now: Instant): Progress {
  const siblings = siblingsOf(move.pod, cluster);
  return {
    ...progress,
    done: [...progress.done, evictionOf(move)],
    pending: {
      ...{ move, since: now, ready: siblings.filter(isReady).length },
      siblings: new Set(siblings.map(({ metadata }) => metadata.uid)),
    },
  };
}
/** The progress after an eviction that the server has refused. The pod stays for this run. */
export const refusedBy = ({ done, refused }: Progress, { pod }: Move): Progress => ({
  ...{ done, refused: new Set([...refused, pod.metadata.uid]) },
});

/** What the last eviction is waited for, and whether that has taken too long. */
interface Pause {
  readonly because: string;
  readonly isLate: boolean;
}
export function pauseOf(
  { pending }: Progress,
  affected: Affected,
  { patienceMs }: Settings,
  now: Instant,
): Pause | undefined {
  const because = pending && awaited(pending, affected);
  if (pending === undefined || because === undefined) return undefined;
  return { because, isLate: now - pending.since > patienceMs + graceMs(pending.move.pod) };
}

/** What comes next. */
export function nextStep(situation: Omit<Situation, "done" | "refused">, progress: Progress): Step {
  const { cluster, settings, now } = situation;
  const pause = pauseOf(progress, cluster, settings, now);
  if (pause) return { do: pause.isLate ? "end" : "wait", because: pause.because };
  const [move] = planOf({ ...situation, ...progress, isFirstEnough: true }).moves;
  return move ? { do: "evict", move } : { do: "end", because: "nothing is left to move" };
}
