// What a pod asks for and is limited to as a whole, resource by resource.
import type { Container, PodSpec } from "../../generated/types.ts";
import { formatQuantity, parseQuantity } from "../../quantity.ts";

/** Quantities by the names of resources. */
export type Amounts = Readonly<Record<string, string>>;

const combined = (a: Amounts, b: Amounts, choose: (x: bigint, y: bigint) => bigint): Amounts => {
  const result: Record<string, string> = { ...a };
  for (const [name, text] of Object.entries(b)) {
    const [own, other] = [parseQuantity(a[name] ?? ""), parseQuantity(text)];
    result[name] = own && other ? formatQuantity({ ...own, nano: choose(own.nano, other.nano) }) : text;
  }
  return result;
};
const larger = (x: bigint, y: bigint): bigint => (x < y ? y : x);
const plus = (a: Amounts, b: Amounts): Amounts => combined(a, b, (x, y) => x + y);
const most = (a: Amounts, b: Amounts): Amounts => combined(a, b, larger);

/** Resources a pod may say for all its containers together (KEP-2837). */
const ofWholePods = ["cpu", "memory"];

/**
 * The requests, or limits, of all containers together, or of the hungriest moment of the pod's start if that is more.
 * What the pod says for itself counts instead. Without what its runtime takes.
 */
export function podAmounts(spec: PodSpec, which: "requests" | "limits"): Amounts {
  const of = (c: Container): Amounts => c.resources?.[which] ?? {};
  let sidecars: Amounts = {};
  let peak: Amounts = {};
  for (const c of spec.initContainers ?? []) {
    const isSidecar = c.restartPolicy === "Always";
    const together = plus(sidecars, of(c));
    if (isSidecar) sidecars = together;
    peak = most(peak, together);
  }
  const running = spec.containers.map(of).reduce(plus, sidecars);
  const own = Object.entries(spec.resources?.[which] ?? {}).filter(([name]) => ofWholePods.includes(name));
  return { ...most(running, peak), ...Object.fromEntries(own) };
}
