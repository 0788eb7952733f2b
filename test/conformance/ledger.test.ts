// The ledger: unique names, tests with published names, and the parsing of names from sources.
import { expect, test } from "vitest";
import { ledger, namesIn, rowsIn, stateOf, testedNames } from "./ledger.ts";

test("every behaviour is in the ledger once, with a round", () => {
  expect(new Set(ledger.map(({ name }) => name)).size).toBe(ledger.length);
  for (const entry of ledger) expect(entry.when, entry.name).toMatch(/^(api|cluster|extension)$/);
});

test("every tested behaviour has a published name, and only once", () => {
  const published = new Set(ledger.map(({ name }) => name));
  const tested = [...testedNames()];
  expect(tested.filter(([name]) => !published.has(name))).toEqual([]);
  expect(tested.filter(([, files]) => files.length > 1)).toEqual([]);
});

test("names are parsed with any quotes, and other calls are ignored", () => {
  const source = [
    `behaviour("a \\"quoted\\" one", async () => {});`,
    `behaviour(\n  'exec "cat" runs',\n  async () => {});`,
    `misbehaviour("no"); behaviour(name, body);`,
  ].join("\n");
  expect(namesIn(source)).toEqual(['a "quoted" one', 'exec "cat" runs']);
});

test("rows of a table count when their keys are published names", () => {
  const [{ name } = { name: "" }] = ledger;
  const source = `const rows = {\n  ${JSON.stringify(name)}: {\n  "made up": {`;
  expect(rowsIn(source)).toEqual([name]);
  expect(rowsIn(source.replace(": {", ":\n    {"))).toEqual([name]);
});

test("an untested behaviour is open in a required round, and later in another", () => {
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
