// For any sequence of assume, forget and watch events the scheduler's cache equals a fresh count.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { key } from "../../../api/meta.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";

const names = ["p0", "p1", "p2", "p3"];
const nodes = ["n0", "n1"];
const pod = (name: string, nodeName?: string, phase = "Pending"): Pod =>
  ({
    metadata: { name, namespace: "d" },
    spec: { nodeName, containers: [{ name: "c", resources: { requests: { cpu: "100m" } } }] },
    status: { phase },
  }) as unknown as Pod;

const step = fc.oneof(
  fc.record({ do: fc.constant("assume" as const), name: fc.constantFrom(...names), on: fc.constantFrom(...nodes) }),
  fc.record({
    do: fc.constant("see" as const),
    name: fc.constantFrom(...names),
    on: fc.constantFrom(...nodes, undefined),
    phase: fc.constantFrom("Pending", "Succeeded"),
  }),
  fc.record({ do: fc.constant("lose" as const), name: fc.constantFrom(...names) }),
  fc.record({ do: fc.constant("forget" as const), name: fc.constantFrom(...names) }),
);

test("the cache counts every pod once", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const cache = schedulerCache();
      for (const n of nodes) cache.nodeSeen(n, { metadata: { name: n }, spec: {}, status: {} } as unknown as Node);
      const seen = new Map<string, string>();
      const assumed = new Map<string, string>();
      for (const s of steps) {
        const k = key("d", s.name);
        if (s.do === "assume") {
          cache.assume(pod(s.name), s.on);
          assumed.set(s.name, s.on);
        } else if (s.do === "forget") {
          cache.forget(k);
          assumed.delete(s.name);
        } else {
          const shown = s.do === "see" ? pod(s.name, s.on, s.phase) : undefined;
          cache.podSeen(k, shown);
          if (shown?.spec.nodeName !== undefined && s.do === "see" && s.phase === "Pending")
            seen.set(s.name, shown.spec.nodeName);
          else seen.delete(s.name);
          if (shown === undefined || shown.spec.nodeName !== undefined) assumed.delete(s.name);
        }
      }
      for (const info of cache.snapshot().nodes) {
        const expected = names.filter((n) => (seen.get(n) ?? assumed.get(n)) === info.name);
        expect([...info.pods.keys()].toSorted()).toEqual(expected.map((n) => key("d", n)));
        expect(info.requested["cpu"] ?? 0).toBe(100 * expected.length);
      }
    }),
  );
});
