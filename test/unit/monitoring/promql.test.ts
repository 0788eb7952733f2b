// PromQL: generated queries against the results of Prometheus itself, and the messages of wrong ones.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseQuery } from "../../../monitoring/promql/parse.ts";
import { rangeQuery } from "../../../monitoring/promql/query.ts";
import { evaluateQuery, isSame, type Result, selectFrom } from "../../official/promql/evaluate.ts";
import type { GeneratedQuery, GeneratedSeries } from "../../official/promql/generate.ts";

interface Golden {
  readonly series: readonly GeneratedSeries[];
  readonly queries: readonly GeneratedQuery[];
  readonly results: readonly Result[];
}
// Made by test/official/promql-compare --golden.
const golden = JSON.parse(readFileSync(join(import.meta.dirname, "prometheus-results.json"), "utf8")) as Golden;

test("generated queries have the results that Prometheus gives", async () => {
  const select = selectFrom(golden.series);
  const different: unknown[] = [];
  for (const [i, query] of golden.queries.entries()) {
    const found = await evaluateQuery(query, select);
    if (!isSame(golden.results[i]!, found)) different.push({ query, expected: golden.results[i], found });
  }
  expect(different).toEqual([]);
  expect(
    golden.results.filter(({ error, series }) => error === undefined && series!.length > 0).length,
  ).toBeGreaterThan(120);
});

const wrong: readonly (readonly [query: string, message: string])[] = [
  ["", "1:1: parse error: no expression found in input"],
  ["sum(", "1:5: parse error: unclosed left parenthesis"],
  ["foo bar", '1:5: parse error: unexpected identifier "bar"'],
  ["rate(x)", '1:6: parse error: expected type range vector in call to function "rate", got instant vector'],
  ["nofn(x)", '1:1: parse error: unknown function with name "nofn"'],
  ["x{", '1:3: parse error: unexpected end of input in label matching, expected identifier or "}"'],
  ['x{a="b}', "1:5: parse error: unterminated quoted string"],
  ['x{a=~"("}', "1:6: parse error: error parsing regexp: missing closing ): `(`"],
  ["1.5h", '1:1: parse error: bad number or duration syntax: "1.5h"'],
  ['{a=""}', "1:1: parse error: vector selector must contain at least one non-empty matcher"],
  ["1 > 2", "1:3: parse error: comparisons between scalars must use BOOL modifier"],
  ["topk(x)", "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1"],
  ["a\nand 1", '2:1: parse error: set operator "and" not allowed in binary scalar expression'],
  ["x + on(a) 1", "1:3: parse error: vector matching only allowed between instant vectors"],
  [
    "sum(x) offset 5m",
    "1:8: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
  ],
];
for (const [query, message] of wrong)
  test(`a wrong query: ${JSON.stringify(query)}`, () => {
    expect(() => parseQuery(query)).toThrow(message);
  });

test("a power binds tighter than a sign, which the grammar for editors does not know", async () => {
  const select = selectFrom([]);
  const [series] = await rangeQuery("-2^2", { start: 0, end: 10_000, stepMs: 5_000 }, { select });
  expect([...series!.times]).toEqual([0, 5_000, 10_000]);
  expect([...series!.values]).toEqual([-4, -4, -4]);
});
