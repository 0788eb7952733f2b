// Where components provide parts of explanations, and the API server finds them: the contract between both.
import type { DecisionRecord } from "../api/explanation/decisions.ts";
import type { SchedulingExplanation } from "../api/explanation/scheduling.ts";
import type { Pod } from "../api/generated/types.ts";
import type { Key } from "../api/meta.ts";
import { onAbort } from "./abort.ts";

/** Parts of explanations that only one process of a cluster can provide, with what they are about. */
export interface ExplanationParts {
  /** The decisions of the scheduler about a pod. */
  readonly scheduling: (pod: Pod) => SchedulingExplanation;
  /** The decisions of controllers about a key, of any kind; the oldest first. */
  readonly decisions: (key: Key) => readonly DecisionRecord[];
}
export type PartName = keyof ExplanationParts;

export interface Explanations {
  /** Provides a part until the signal aborts. */
  provide<P extends PartName>(part: P, explain: ExplanationParts[P], signal: AbortSignal): void;
  /** Undefined while no component of this process provides the part. */
  of<P extends PartName>(part: P): ExplanationParts[P] | undefined;
}

/** Nothing is explained yet. */
export function explanations(): Explanations {
  const parts: { -readonly [P in PartName]?: ExplanationParts[P] } = {};
  return {
    provide(part, explain, signal) {
      if (signal.aborted) return;
      parts[part] = explain;
      onAbort(signal, () => {
        if (parts[part] === explain) delete parts[part];
      });
    },
    of: (part) => parts[part],
  };
}
