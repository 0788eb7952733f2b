// The last decisions about every pod, and what each was made from, in a bounded store: explanation.ts makes the same
// decision again to say why. See docs/decisions/037-explain-decisions-by-making-them-again.md.
import type { Instant, Revision } from "../api/meta.ts";
import type { Pod } from "../api/generated/types.ts";
import type { DecisionInputs, Placement } from "./place.ts";

/** What came out of a decision: a node, or why there is none. */
type Outcome =
  | string
  | { readonly message: string; readonly nominatedNodeName?: string; readonly victims: readonly string[] };
export interface Attempt {
  readonly at: Instant;
  readonly revision: Revision;
  readonly outcome: Outcome;
  /** How often in a row it came out so; the rest is of the last time. */
  readonly count: number;
  /** Dropped before the attempt itself. */
  inputs: DecisionInputs | undefined;
  /** The attempt before it. */
  before: Attempt | undefined;
}

export interface AttemptLog {
  /** `inVain` says why a pod that found a node is not bound to it. */
  record(placement: Placement, at: Pick<Attempt, "at" | "revision">, inVain?: string): void;
  /** The oldest first. */
  of(pod: Pod): readonly Attempt[];
}

/** Bounds of an {@link AttemptLog}. Inputs keep a pod alive as it was, attempts are small. */
interface AttemptLimits {
  readonly perPod: number;
  readonly pods: number;
  readonly inputs: number;
}
const defaults: AttemptLimits = { perPod: 3, pods: 20_000, inputs: 8_000 };

function outcomeOf(placement: Placement, inVain: string | undefined): Outcome {
  if (inVain !== undefined) return { message: inVain, victims: [] };
  if (placement.outcome === "placed") return placement.nodeName;
  const { message, nominatedNodeName, victims } = placement.diagnosis;
  return { message, victims: victims.map(({ key }) => key), ...(nominatedNodeName && { nominatedNodeName }) };
}
const isEqual = (a: Outcome, b: Outcome): boolean =>
  typeof a !== "string" && typeof b !== "string" && a.message === b.message && `${a.victims}` === `${b.victims}`;

/** An attempt and those before it, the latest first. */
function* chain(last: Attempt | undefined): Generator<Attempt> {
  for (let attempt = last; attempt; attempt = attempt.before) yield attempt;
}

/** No decisions yet. Above a bound, the pod that was decided least recently is forgotten. */
export function attemptLog(limits: AttemptLimits = defaults): AttemptLog {
  const pods = new Map<string, Attempt>();
  let recent: Attempt[] = [];
  const keepInputs = (attempt: Attempt): void => {
    recent.push(attempt);
    if (recent.length <= 2 * limits.inputs) return;
    for (const old of recent.slice(0, -limits.inputs)) old.inputs = undefined;
    recent = recent.slice(-limits.inputs);
  };
  /** The attempts that remain before a new one. */
  const kept = (last: Attempt, outcome: Outcome): Attempt | undefined => {
    if (isEqual(last.outcome, outcome)) {
      last.inputs = undefined;
      return last.before;
    }
    const oldest = chain(last)
      .drop(limits.perPod - 2)
      .next().value;
    if (oldest) oldest.before = undefined;
    return last;
  };
  return {
    record(placement, { at, revision }, inVain) {
      const { inputs } = placement;
      const { uid } = inputs.pod.metadata;
      const outcome = outcomeOf(placement, inVain);
      const last = pods.get(uid);
      const before = last && kept(last, outcome);
      const count = last && before !== last ? last.count + 1 : 1;
      const attempt = { at, revision, outcome, count, inputs, before };
      if (last) pods.delete(uid);
      pods.set(uid, attempt);
      keepInputs(attempt);
      if (pods.size > limits.pods) pods.delete(pods.keys().next().value!);
    },
    of: ({ metadata: { uid } }) => [...chain(pods.get(uid))].toReversed(),
  };
}
