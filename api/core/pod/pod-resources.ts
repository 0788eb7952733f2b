// The requests or limits of a pod as quantities, for quota and limit ranges.
import type { Container, PodSpec } from "../../generated/types.ts";
import { formatQuantity, parseQuantity } from "../../quantity.ts";

/** Quantities by resource name. */
export type Amounts = Readonly<Record<string, string>>;

const combined = (a: Amounts, b: Amounts, choose: (x: bigint, y: bigint) => bigint): Amounts => {
  const result: Record<string, string> = { ...a };
  for (const [name, text] of Object.entries(b)) {
    const [own, other] = [parseQuantity(a[name] ?? ""), parseQuantity(text)];
    result[name] = own && other ? formatQuantity({ ...own, nano: choose(own.nano, other.nano) }) : text;
  }
  return result;
};
const plus = (a: Amounts, b: Amounts): Amounts => combined(a, b, (x, y) => x + y);
const most = (a: Amounts, b: Amounts): Amounts => combined(a, b, (x, y) => (x < y ? y : x));

/**
 * The maximum of the sum over all containers and the peak of the initialization; pod-level resources (KEP-2837) replace
 * it. Without the overhead of the runtime class.
 */
export function podAmounts(spec: PodSpec, which: "requests" | "limits"): Amounts {
  const amountsOf = (c: Container): Amounts => c.resources?.[which] ?? {};
  let sidecars: Amounts = {};
  let peak: Amounts = {};
  for (const c of spec.initContainers ?? []) {
    const started = plus(sidecars, amountsOf(c));
    if (c.restartPolicy === "Always") sidecars = started;
    peak = most(peak, started);
  }
  const running = spec.containers.map(amountsOf).reduce(plus, sidecars);
  const podLevel = Object.entries(spec.resources?.[which] ?? {}).filter(([name]) => ["cpu", "memory"].includes(name));
  return { ...most(running, peak), ...Object.fromEntries(podLevel) };
}
