// Decisions of controllers, as they are kept and served: why an object was reconciled, what was decided, what was done.
import type { Instant, Key, Revision } from "../meta.ts";

/** A change of an object, or that a key is due again: after a failure, or as its last decision requested. */
export type Reason =
  | {
      readonly type: "added" | "updated" | "deleted";
      readonly kind: string;
      readonly key: Key;
      readonly revision: Revision;
    }
  | { readonly type: "retry" | "scheduled" };

/** One decision, as it is kept. */
export interface DecisionRecord {
  readonly controller: string;
  /** The kind of the object; absent where a controller reconciles keys of several kinds. */
  readonly kind?: string;
  readonly key: Key;
  readonly at: Instant;
  /** Where the view of the reconciled kind was in history. */
  readonly revision: Revision;
  /** Why the key was reconciled. */
  readonly reasons: readonly Reason[];
  readonly because: readonly string[];
  /** One line per action, such as `create pods default/web-x7k2p`. */
  readonly actions: readonly string[];
  /** Why the actions could not all be carried out. */
  readonly error?: string;
  /** How often in a row the same was decided; the other fields are of the last time. */
  readonly count: number;
}
