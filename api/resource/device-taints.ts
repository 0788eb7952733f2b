// Taints of devices, and the requests that tolerate them. Source: KEP-5055.
import type { DeviceTaint, DeviceToleration } from "../generated/types.ts";

export function isTolerated(taint: DeviceTaint, toleration: DeviceToleration): boolean {
  const { effect, key, operator = "Equal", value = "" } = toleration;
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  return operator === "Exists" || value === (taint.value ?? "");
}
