// The bounds of what is kept about decisions: attempts, their inputs, and earlier values.
import { expect, test } from "vitest";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { instant, revision } from "../../../api/meta.ts";
import { type Attempt, attemptLog } from "../../../scheduler/attempts.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";
import { attemptExplanation } from "../../../scheduler/explanation.ts";
import { journal, valuesBefore } from "../../../scheduler/journal.ts";
import { place, type Placement } from "../../../scheduler/place.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";

const at = { at: instant(0), revision: revision(1) };
const pod = (name: string, cpu: string): Pod =>
  ({
    metadata: { name, namespace: "d", uid: name },
    spec: { containers: [{ name: "c", resources: { requests: { cpu } } }] },
  }) as unknown as Pod;
const node = { metadata: { name: "a" }, spec: {}, status: { allocatable: { cpu: "1", pods: "9" } } } as unknown as Node;

function decisions(): (p: Pod) => Placement {
  const cache = schedulerCache();
  cache.nodeSeen("a", node);
  return (p) => place(p, cache.snapshot(), defaultPlugins());
}
const outcomes = (attempts: readonly Attempt[]): readonly (readonly [string, number, boolean])[] =>
  attempts.map(({ outcome, count, inputs }) => [
    typeof outcome === "string" ? outcome : /1 Insufficient cpu/.exec(outcome.message)![0],
    count,
    inputs !== undefined,
  ]);

test("the last attempts that differ are kept, and how often each came", () => {
  const decide = decisions();
  const log = attemptLog({ perPod: 2, pods: 10, inputs: 10 });
  for (const cpu of ["2", "2", "100m", "3", "3", "3"]) log.record(decide(pod("p", cpu)), at);
  expect(outcomes(log.of(pod("p", "")))).toEqual([
    ["a", 1, true],
    ["1 Insufficient cpu", 3, true],
  ]);
});

test("above the bounds inputs are dropped first, then pods", () => {
  const decide = decisions();
  const log = attemptLog({ perPod: 3, pods: 3, inputs: 1 });
  for (const name of ["p", "q", "r", "s"]) log.record(decide(pod(name, "100m")), at);
  expect(["p", "q", "r", "s"].map((name) => outcomes(log.of(pod(name, ""))).map(([, , has]) => has))).toEqual([
    [],
    [false],
    [true],
    [true],
  ]);
  const [old] = log.of(pod("q", ""));
  expect(attemptExplanation(old!, undefined)).toEqual({
    ...{ at: "1970-01-01T00:00:00Z", resourceVersion: "1", count: 1, outcome: "Placed", nodeName: "a" },
    message: "a was chosen",
  });
});

test("a journal tells values at a position until it has dropped it", () => {
  const changes = journal(650);
  const table = new Map<string, number>();
  const set = (name: string, value: number | undefined): void => {
    changes.record(table, name, table.get(name), 50);
    if (value === undefined) table.delete(name);
    else table.set(name, value);
  };
  set("a", 1);
  const early = changes.position;
  set("a", 2);
  set("b", 3);
  const late = changes.position;
  set("b", undefined);
  set("a", 4);
  const valuesAt = (position: number) => {
    const undo = changes.since(position);
    return undo && Object.fromEntries(valuesBefore(table, table, undo));
  };
  expect([valuesAt(early), valuesAt(late), valuesAt(changes.position)]).toEqual([{ a: 1 }, { a: 2, b: 3 }, { a: 4 }]);
  for (let i = 0; i < 2; i++) set("c", i);
  expect([valuesAt(early), valuesAt(late)]).toEqual([undefined, { a: 2, b: 3 }]);
});
