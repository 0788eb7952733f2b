// Whether a toleration matches a taint: for scheduling, admission to a node, and eviction. Source: the API reference of
// Toleration.
import type { Taint, Toleration } from "../../generated/types.ts";

/** An empty key with Exists matches every taint, an empty effect every effect. */
export function tolerates(t: Toleration, taint: Taint): boolean {
  if (t.effect && t.effect !== taint.effect) return false;
  if (t.key && t.key !== taint.key) return false;
  if (t.operator === "Exists") return true;
  return Boolean(t.key) && (t.value ?? "") === (taint.value ?? "");
}
