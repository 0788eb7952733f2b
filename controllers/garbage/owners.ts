// What becomes of an object by the state of its owners: it is kept, released from absent ones, or deleted. Pure.
import type { ApiObject, OwnerReference } from "../../api/meta.ts";

/** The state of an owner. `waiting` is in foreground deletion; `unknown` is of a kind that is not served. */
export type OwnerState = "solid" | "gone" | "waiting" | "unknown";
export type Verdict =
  | { readonly do: "keep" }
  | { readonly do: "release"; readonly owners: readonly OwnerReference[] }
  | { readonly do: "delete"; readonly propagationPolicy: "Background" | "Foreground" };

export const foreground = "foregroundDeletion";
export const orphan = "orphan";

export const isWaiting = (o: ApiObject): boolean =>
  o.metadata.deletionTimestamp !== undefined && o.metadata.finalizers?.includes(foreground) === true;

/** One solid owner keeps an object. A waiting owner is not kept waiting by it. */
export function verdictOf(
  object: ApiObject,
  stateOf: (r: OwnerReference) => OwnerState,
  hasDependents: boolean,
): Verdict {
  const owners = object.metadata.ownerReferences ?? [];
  const of = (s: OwnerState): readonly OwnerReference[] => owners.filter((r) => stateOf(r) === s);
  if (owners.length === 0 || of("unknown").length > 0) return { do: "keep" };
  const left = [...of("gone"), ...of("waiting")];
  if (of("solid").length > 0) return left.length === 0 ? { do: "keep" } : { do: "release", owners: of("solid") };
  if (object.metadata.deletionTimestamp !== undefined) return { do: "keep" };
  return { do: "delete", propagationPolicy: of("waiting").length > 0 && hasDependents ? "Foreground" : "Background" };
}
