// Which taints of a node a pod puts up with: asked where pods are placed, where they begin, and where they are driven
// away. Source: the API reference of Toleration.
import type { Taint, Toleration } from "../../generated/types.ts";

/** An empty key with Exists tolerates everything; an empty effect, every effect. */
export function tolerates(t: Toleration, taint: Taint): boolean {
  if (t.effect && t.effect !== taint.effect) return false;
  if (t.key && t.key !== taint.key) return false;
  if (t.operator === "Exists") return true;
  return Boolean(t.key) && (t.value ?? "") === (taint.value ?? "");
}
