// The totals of `orrery test`.
import { expect, test } from "vitest";
import { failedFiles, type Report, withRerun, tally } from "../../../../cli/commands/test.ts";

const file = (name: string, ...statuses: readonly string[]): Report["testResults"][number] => ({
  name,
  status: statuses.includes("failed") ? "failed" : "passed",
  assertionResults: statuses.map((status, i) => ({ fullName: `${name} ${i}`, status })),
});
const report = (...testResults: Report["testResults"]): Report => ({ testResults });

test.each<[string, Report | undefined, number, [passed: number, failed: number]]>([
  ["all is well", report(file("a", "passed", "passed"), file("b", "passed")), 0, [3, 0]],
  ["one failed", report(file("a", "passed", "failed")), 1, [1, 1]],
  ["something broke outside of any test", report(file("a", "passed")), 1, [1, 1]],
  ["the run died before it could report", undefined, 134, [0, 1]],
  ["the run died and yet left with zero", undefined, 0, [0, 1]],
])("%s", (_, run, exitCode, [passed, failed]) => {
  expect(tally(run, exitCode)).toEqual({ passed, failed });
});

test("a file that does not load has failed, although none of its tests did", () => {
  expect(failedFiles(report(file("a", "passed"), { name: "b", status: "failed", assertionResults: [] }))).toEqual([
    "b",
  ]);
});

test("the second run of failed files counts, and the first of all others", () => {
  const first = report(file("a", "passed"), file("b", "passed", "failed"), file("c", "failed"));
  const second = report(file("b", "passed", "passed"), file("c", "failed"));
  expect(tally(withRerun(first, second), 1)).toEqual({ passed: 3, failed: 1 });
});
