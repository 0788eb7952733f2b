// What "delete" means for an object: gone at once, or marked and left to whoever has to clean up first. Pure.
import type { Pod } from "../../api/core/pods.ts";
import { qualified, type ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Instant, instant, instantOf, timestamp } from "../../api/meta.ts";
import type { DeleteOptions } from "../../machinery/client.ts";
import { withoutUndefined } from "./prepare.ts";

/** The outcome of asking for a deletion. `wait` means it was asked for already and nothing changes by asking again. */
export type Deletion =
  | { readonly do: "remove" }
  | { readonly do: "mark"; readonly object: ApiObject }
  | { readonly do: "wait" };

const orphan = "orphan";
const foreground = "foregroundDeletion";

/** Kinds whose dependents stay unless somebody says otherwise: so it was before there was a choice. */
const orphaning = new Set(["replicationcontrollers", "jobs.batch"]);
/** Kinds that own nothing, whatever is said. */
const childless = new Set(["events", "events.events.k8s.io"]);

function finalizersAfter(
  r: ResourceDefinition,
  object: ApiObject,
  asked: DeleteOptions["propagationPolicy"],
): readonly string[] {
  const held = object.metadata.finalizers ?? [];
  if (childless.has(qualified(r))) return held;
  // What is said at the deletion goes before what stands in the object, and that before the habit of its kind.
  const isDecided = asked !== undefined || held.includes(orphan) || held.includes(foreground);
  const policy = isDecided || !orphaning.has(qualified(r)) ? asked : "Orphan";
  if (policy === undefined) return held;
  const others = held.filter((f) => f !== orphan && f !== foreground);
  if (policy === "Orphan") return [...others, orphan];
  return policy === "Foreground" ? [...others, foreground] : others;
}

/** Seconds a pod is given to end. One that no node has, or whose containers have all ended, needs none. */
function graceOf(pod: Pod, asked: number | undefined): number {
  if (!pod.spec.nodeName || pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed") return 0;
  const grace = asked ?? pod.spec.terminationGracePeriodSeconds ?? 30;
  return grace < 0 ? 1 : grace;
}

function marked(object: ApiObject, at: Instant, graceSeconds: number, finalizers: readonly string[]): ApiObject {
  const { metadata } = object;
  const generation = metadata.generation === undefined ? undefined : metadata.generation + 1;
  const namespace = object.kind === "Namespace" && object.apiVersion === "v1";
  const { status } = object as { status?: object };
  return {
    ...object,
    metadata: withoutUndefined({
      ...metadata,
      deletionTimestamp: timestamp(at),
      deletionGracePeriodSeconds: graceSeconds,
      generation: metadata.deletionTimestamp === undefined ? generation : metadata.generation,
      finalizers: finalizers.length > 0 ? finalizers : undefined,
    }),
    ...(namespace && { status: { ...status, phase: "Terminating" } }),
  } as ApiObject;
}

/** A namespace is held by finalizers of its own beside those in its metadata. */
const heldBySpec = (object: ApiObject): boolean =>
  object.kind === "Namespace" &&
  ((object as { spec?: { finalizers?: readonly string[] } }).spec?.finalizers ?? []).length > 0;

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((x) => b.includes(x));

/** Decide what becomes of an object that is asked to be deleted. */
export function decideDeletion(
  r: ResourceDefinition,
  object: ApiObject,
  options: DeleteOptions,
  now: Instant,
): Deletion {
  const { deletionTimestamp, deletionGracePeriodSeconds: pending = 0, finalizers: held = [] } = object.metadata;
  const finalizers = finalizersAfter(r, object, options.propagationPolicy);
  const graceful = r.plural === "pods" && r.group === "";
  const asked = graceful ? graceOf(object as Pod, options.gracePeriodSeconds) : 0;
  const isHeld = finalizers.length > 0 || heldBySpec(object);
  if (deletionTimestamp === undefined) {
    if (asked === 0 && !isHeld) return { do: "remove" };
    return { do: "mark", object: marked(object, instant(now + asked * 1000), asked, finalizers) };
  }
  // Asking again may shorten the time given, never lengthen it.
  const shorter = graceful && options.gracePeriodSeconds !== undefined && asked < pending;
  const grace = shorter || (graceful && asked === 0) ? asked : pending;
  if (grace === 0 && !isHeld) return { do: "remove" };
  if (grace === pending && sameSet(held, finalizers)) return { do: "wait" };
  const began = instantOf(deletionTimestamp) - pending * 1000;
  return { do: "mark", object: marked(object, instant(began + grace * 1000), grace, finalizers) };
}

/** An object marked for deletion goes with the write that takes away the last thing it waited for. */
export const isReleased = (object: ApiObject): boolean =>
  object.metadata.deletionTimestamp !== undefined &&
  (object.metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
  (object.metadata.finalizers ?? []).length === 0 &&
  !heldBySpec(object);
