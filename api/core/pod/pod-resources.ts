// The resources of a pod as a whole: the sum over its containers, or the peak of its initialization.
import type { Container, PodSpec } from "../../generated/types.ts";
import { formatQuantity, parseQuantity } from "../../quantity.ts";

/** Quantities by resource name. */
export type Amounts = Readonly<Record<string, string>>;

/** How amounts of one representation are added and compared. */
interface Arithmetic<A> {
  readonly zero: A;
  readonly plus: (a: A, b: A) => A;
  readonly most: (a: A, b: A) => A;
}

/**
 * The maximum of the sum over the containers and the peak of the initialization. Init containers run one after another;
 * sidecars (KEP-753), which restart always, keep running and add up.
 */
export function total<A>(spec: PodSpec, amountsOf: (c: Container) => A, { zero, plus, most }: Arithmetic<A>): A {
  let sidecars = zero;
  let peak = zero;
  for (const c of spec.initContainers ?? []) {
    const started = plus(sidecars, amountsOf(c));
    if (c.restartPolicy === "Always") sidecars = started;
    peak = most(peak, started);
  }
  return most(spec.containers.map(amountsOf).reduce(plus, sidecars), peak);
}

const combined = (a: Amounts, b: Amounts, choose: (x: bigint, y: bigint) => bigint): Amounts => {
  const result: Record<string, string> = { ...a };
  for (const [name, text] of Object.entries(b)) {
    const [own, other] = [parseQuantity(a[name] ?? ""), parseQuantity(text)];
    result[name] = own && other ? formatQuantity({ ...own, nano: choose(own.nano, other.nano) }) : text;
  }
  return result;
};
const larger = (x: bigint, y: bigint): bigint => (x < y ? y : x);
/** The sums of amounts. Those of one side only are kept. */
export const addAmounts = (a: Amounts, b: Amounts): Amounts => combined(a, b, (x, y) => x + y);
const quantities: Arithmetic<Amounts> = {
  zero: {},
  plus: addAmounts,
  most: (a, b) => combined(a, b, larger),
};

/** The requests or limits of a pod; those at pod level (KEP-2837) replace the total. Without the runtime's overhead. */
export function podAmounts(spec: PodSpec, which: "requests" | "limits"): Amounts {
  const { cpu, memory } = spec.resources?.[which] ?? {};
  return {
    ...total(spec, (c): Amounts => c.resources?.[which] ?? {}, quantities),
    ...(cpu !== undefined && { cpu }),
    ...(memory !== undefined && { memory }),
  };
}
