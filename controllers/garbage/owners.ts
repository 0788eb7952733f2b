// What an object's owners decide about it: it stays, lets go of the ones that are gone, or goes with them. Pure.
import type { ApiObject, OwnerReference } from "../../api/meta.ts";

/**
 * How an owner stands: there, gone, there but waiting for its dependents to go first, or of a kind we cannot ask
 * about.
 */
export type Standing = "solid" | "gone" | "waiting" | "unknown";
export type Verdict =
  | { readonly do: "keep" }
  | { readonly do: "release"; readonly owners: readonly OwnerReference[] }
  | { readonly do: "delete"; readonly propagationPolicy: "Background" | "Foreground" };

export const foreground = "foregroundDeletion";
export const orphan = "orphan";

export const isWaiting = (o: ApiObject): boolean =>
  o.metadata.deletionTimestamp !== undefined && o.metadata.finalizers?.includes(foreground) === true;

/** One owner that stands is enough to stay. Who waits for us must not be kept waiting. */
export function judge(object: ApiObject, standing: (r: OwnerReference) => Standing, hasDependents: boolean): Verdict {
  const owners = object.metadata.ownerReferences ?? [];
  const of = (s: Standing): readonly OwnerReference[] => owners.filter((r) => standing(r) === s);
  if (owners.length === 0 || of("unknown").length > 0) return { do: "keep" };
  const left = [...of("gone"), ...of("waiting")];
  if (of("solid").length > 0) return left.length === 0 ? { do: "keep" } : { do: "release", owners: of("solid") };
  if (object.metadata.deletionTimestamp !== undefined) return { do: "keep" };
  return { do: "delete", propagationPolicy: of("waiting").length > 0 && hasDependents ? "Foreground" : "Background" };
}
