// The ledger itself: names are unique, tests carry names that are in it, and quotes do not hide a name.
import { expect, test } from "vitest";
import { ledger, namesIn, rowsIn, stateOf, testedNames } from "./ledger.ts";

test("every behaviour stands in the ledger once, in a round", () => {
  expect(new Set(ledger.map(({ name }) => name)).size).toBe(ledger.length);
  for (const entry of ledger) expect(entry.when, entry.name).toMatch(/^(api|cluster|extension)$/);
});

test("every test of a behaviour carries a name that was published, and no two the same", () => {
  const published = new Set(ledger.map(({ name }) => name));
  const tested = [...testedNames()];
  expect(tested.filter(([name]) => !published.has(name))).toEqual([]);
  expect(tested.filter(([, files]) => files.length > 1)).toEqual([]);
});

test("names are found however they are quoted, and what only looks like one is not", () => {
  const source = [
    `behaviour("a \\"quoted\\" one", async () => {});`,
    `behaviour(\n  'exec "cat" runs',\n  async () => {});`,
    `misbehaviour("no"); behaviour(name, body);`,
  ].join("\n");
  expect(namesIn(source)).toEqual(['a "quoted" one', 'exec "cat" runs']);
});

test("rows of a table count when their heads were published", () => {
  const [{ name } = { name: "" }] = ledger;
  const source = `const rows = {\n  ${JSON.stringify(name)}: {\n  "made up": {`;
  expect(rowsIn(source)).toEqual([name]);
  expect(rowsIn(source.replace(": {", ":\n    {"))).toEqual([name]);
});

test("what is owed and untested is open; what is not owed yet can wait", () => {
  const entry = { area: "a", feature: "f", name: "n" };
  const rows = [
    ["api", ["n"], "tested"],
    ["cluster", ["n"], "tested"],
    ["api", [], "open"],
    ["cluster", [], "later"],
  ] as const;
  for (const [when, tested, state] of rows)
    expect(stateOf({ ...entry, when }, new Map(tested.map((n) => [n, 1])))).toBe(state);
});
