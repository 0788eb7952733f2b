// Zones of nodes: how many of them are lost decides how fast pods may be evicted, or whether at all.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Node } from "../../../api/generated/types.ts";
import { type Instant, instant } from "../../../api/meta.ts";
import { evictionZones, intervalOf, stateOf, zoneOf } from "../../../controllers/nodelifecycle/zones.ts";
import { asStored, now } from "./world.ts";

const states: readonly (readonly [ready: number, lost: number, state: string, secondsBetween: number | undefined])[] = [
  [0, 0, "Normal", 10],
  [3, 0, "Normal", 10],
  [1, 1, "Normal", 10],
  [1, 2, "Normal", 10],
  [3, 3, "Normal", 10],
  [2, 3, "PartialDisruption", undefined],
  [45, 54, "Normal", 10],
  [45, 55, "PartialDisruption", 100],
  [22, 28, "PartialDisruption", undefined],
  [22, 29, "PartialDisruption", 100],
  [0, 1, "FullDisruption", 10],
  [0, 60, "FullDisruption", 10],
];
for (const [ready, lost, state, seconds] of states)
  test(`zones: ${lost} of ${ready + lost} nodes lost is ${state}`, () => {
    expect(stateOf({ ready, lost })).toBe(state);
    expect(intervalOf({ ready, lost })).toBe(seconds === undefined ? undefined : seconds * 1000);
  });

const node = (name: string, isReady: boolean, labels: Readonly<Record<string, string>> = {}): Node =>
  asStored<Node>({
    kind: "Node",
    metadata: { name, labels },
    spec: {},
    status: { conditions: [{ type: "Ready", status: isReady ? "True" : "Unknown" }] },
  });
const zone = (name: string) => ({ "topology.kubernetes.io/zone": name });
const at = (seconds: number): Instant => instant(now + seconds * 1000);

test("zones: a zone is a region and a zone", () => {
  const region = { "topology.kubernetes.io/region": "r" };
  const names = [{}, zone("a"), region, { ...zone("a"), ...region }].map((labels) => zoneOf(node("n", true, labels)));
  expect(new Set(names).size).toBe(4);
  expect(zoneOf(node("n", true, {}))).toBe("");
});

test("zones: one node of a zone after the other, each in its turn", () => {
  const zones = evictionZones();
  for (const name of ["a", "b", "c", "d", "e", "f"]) zones.update(node(name, name > "c"), now);
  const turns = ["a", "b", "c"].map((name) => zones.turnOf(node(name, false), now));
  expect(turns).toEqual([at(0), at(10), at(20)]);
  expect(zones.turnOf(node("b", false), at(5))).toBe(at(10));
  zones.release("a");
  expect(zones.turnOf(node("a", false), at(12))).toBe(at(30));
});

test("zones: nodes of another zone do not wait", () => {
  const zones = evictionZones();
  for (const name of ["a", "b"]) zones.update(node(name, true, zone(name)), now);
  for (const name of ["c", "d"]) zones.update(node(name, false, zone(name)), now);
  zones.update(node("e", false, zone("d")), now);
  expect(zones.turnOf(node("c", false, zone("c")), now)).toBe(at(0));
  expect(zones.turnOf(node("d", false, zone("d")), now)).toBe(at(0));
});

test("zones: in a small zone of which most nodes are lost none has a turn, until nodes return", () => {
  const zones = evictionZones();
  for (const name of ["a", "b", "c", "d", "e"]) zones.update(node(name, name > "c"), now);
  expect(zones.turnOf(node("a", false), now)).toBeUndefined();
  expect(zones.update(node("c", true), at(5))).toBe(true);
  // As after every turn, there is a pause.
  expect(zones.turnOf(node("a", false), at(5))).toBe(at(15));
});

test("zones: when all nodes of all zones are lost, none has a turn", () => {
  const zones = evictionZones();
  zones.update(node("a", false, zone("a")), now);
  expect(zones.update(node("b", true, zone("b")), now)).toBe(true);
  expect([zones.allLost, zones.turnOf(node("a", false, zone("a")), now)]).toEqual([false, at(0)]);
  expect(zones.update(node("b", false, zone("b")), at(1))).toBe(true);
  expect([zones.allLost, zones.turnOf(node("b", false, zone("b")), at(1))]).toEqual([true, undefined]);
  zones.update(node("b", true, zone("b")), at(2));
  expect([zones.allLost, zones.turnOf(node("a", false, zone("a")), at(2))]).toEqual([false, at(12)]);
  zones.remove("b", at(3));
  expect(zones.allLost).toBe(true);
  zones.remove("a", at(4));
  expect(zones.allLost).toBe(false);
});

test("zones: nodes that are excluded from disruption are not counted", () => {
  const zones = evictionZones();
  zones.update(node("a", true), now);
  zones.update(node("b", false, { "node.kubernetes.io/exclude-disruption": "" }), now);
  expect(zones.update(node("a", false), now)).toBe(true);
  expect(zones.allLost).toBe(true);
});

test("zones: whatever nodes do, turns of a zone are never closer than its interval", () => {
  const step = fc.record({ name: fc.integer({ min: 0, max: 5 }), isReady: fc.boolean(), after: fc.nat(20_000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const zones = evictionZones();
      let time = 0;
      const turns = new Set<number>();
      for (const { name, isReady, after } of steps) {
        time += after;
        const n = node(`n${name}`, isReady);
        zones.update(n, instant(time));
        const turn = isReady ? undefined : zones.turnOf(n, instant(time));
        if (turn !== undefined && turn <= time) {
          turns.add(turn);
          zones.release(n.metadata.name);
        }
      }
      const sorted = [...turns].toSorted((a, b) => a - b);
      for (const [i, turn] of sorted.entries()) if (i > 0) expect(turn - sorted[i - 1]!).toBeGreaterThanOrEqual(10_000);
    }),
  );
});
