// Who judges the judge: every rule notices a program that is wrong in one line.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { allRules } from "./cluster.ts";
import { mutants } from "./mutants.ts";

const program = join(import.meta.dirname, "mutant.ts");
for (const [number, { file, from, breaks }] of mutants.entries())
  test(`mutant of ${file} at ${JSON.stringify(from)}: ${breaks}`, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, String(number)]);
    expect(stdout.split("\n")).toContain(breaks);
  });

test("every rule has a mutant", () => {
  expect(new Set(mutants.map(({ breaks }) => breaks))).toEqual(new Set([...allRules, "unsettled"]));
});
