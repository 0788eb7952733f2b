// What a deletion does to an object: it is removed, or marked and removed once its finalizers and grace are over. Pure.
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Instant, instant, instantOf, timestamp } from "../../api/meta.ts";
import type { DeleteOptions } from "../../machinery/client.ts";
import { withoutUndefined } from "./prepare.ts";
import type { DeletionStrategy } from "./strategies/strategy.ts";
import { strategyOf } from "./strategies/table.ts";

/** The outcome of a deletion. With `wait` the object is marked already, and nothing changes. */
export type Deletion =
  | { readonly do: "remove" }
  | { readonly do: "mark"; readonly object: ApiObject }
  | { readonly do: "wait" };

const orphan = "orphan";
const foreground = "foregroundDeletion";

function finalizersAfter(
  { dependents }: DeletionStrategy,
  object: ApiObject,
  requested: DeleteOptions["propagationPolicy"],
): readonly string[] {
  const present = object.metadata.finalizers ?? [];
  if (dependents === "none") return present;
  // The request decides, else the finalizers of the object, else the default of the kind.
  const isDecided = requested !== undefined || present.includes(orphan) || present.includes(foreground);
  const policy = isDecided || dependents !== "orphan" ? requested : "Orphan";
  if (policy === undefined) return present;
  const others = present.filter((f) => f !== orphan && f !== foreground);
  if (policy === "Orphan") return [...others, orphan];
  return policy === "Foreground" ? [...others, foreground] : others;
}

function marked(
  { whileTerminating = (terminating) => terminating }: DeletionStrategy,
  object: ApiObject,
  at: Instant,
  graceSeconds: number,
  finalizers: readonly string[],
): ApiObject {
  const { metadata } = object;
  const generation = metadata.generation === undefined ? undefined : metadata.generation + 1;
  return whileTerminating({
    ...object,
    metadata: withoutUndefined({
      ...metadata,
      deletionTimestamp: timestamp(at),
      deletionGracePeriodSeconds: graceSeconds,
      generation: metadata.deletionTimestamp === undefined ? generation : metadata.generation,
      finalizers: finalizers.length > 0 ? finalizers : undefined,
    }),
  });
}

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((x) => b.includes(x));

/** Decides what a deletion does to the object. */
export function decideDeletion(
  r: ResourceDefinition,
  object: ApiObject,
  options: DeleteOptions,
  now: Instant,
): Deletion {
  const { deletionTimestamp, deletionGracePeriodSeconds: pending = 0, finalizers: present = [] } = object.metadata;
  const { deletion } = strategyOf(r);
  const finalizers = finalizersAfter(deletion, object, options.propagationPolicy);
  const graceful = deletion.gracePeriodSeconds !== undefined;
  const requested = deletion.gracePeriodSeconds?.(object, options.gracePeriodSeconds) ?? 0;
  const isHeld = finalizers.length > 0 || (deletion.isHeld?.(object) ?? false);
  if (deletionTimestamp === undefined) {
    if (requested === 0 && !isHeld) return { do: "remove" };
    return { do: "mark", object: marked(deletion, object, instant(now + requested * 1000), requested, finalizers) };
  }
  // Asking again may shorten the time given, never lengthen it.
  const shorter = graceful && options.gracePeriodSeconds !== undefined && requested < pending;
  const grace = shorter || (graceful && requested === 0) ? requested : pending;
  if (grace === 0 && !isHeld) return { do: "remove" };
  if (grace === pending && sameSet(present, finalizers)) return { do: "wait" };
  const began = instantOf(deletionTimestamp) - pending * 1000;
  return { do: "mark", object: marked(deletion, object, instant(began + grace * 1000), grace, finalizers) };
}

/** An object marked for deletion is removed by the write that removes its last finalizer or grace period. */
export const isReleased = (r: ResourceDefinition, object: ApiObject): boolean =>
  object.metadata.deletionTimestamp !== undefined &&
  (object.metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
  (object.metadata.finalizers ?? []).length === 0 &&
  !strategyOf(r).deletion.isHeld?.(object);
