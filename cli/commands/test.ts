// orrery test: runs all checks and tests, and prints the totals.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { checkout } from "../paths.ts";
import { runAttached } from "../cluster/subprocess.ts";

/** Numbers of tests. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** The fields of vitest's JSON report that are used. */
export interface Report {
  readonly testResults: readonly {
    /** The file's path. */
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

const count = (report: Report, status: string): number =>
  report.testResults.reduce(
    (sum, { assertionResults: tests }) => sum + tests.filter((t) => t.status === status).length,
    0,
  );

/** The totals of a run. A run without a report, or with a file that does not load, counts as one failure. */
export const tally = (report: Report | undefined, exitCode: number): Tally => {
  if (report === undefined) return { passed: 0, failed: 1 };
  const failed = count(report, "failed");
  return { passed: count(report, "passed"), failed: exitCode === 0 ? failed : Math.max(1, failed) };
};

/** The files with failures. */
export const failedFiles = (report: Report): string[] => [
  ...new Set(report.testResults.filter(({ status }) => status === "failed").map(({ name }) => name)),
];

/** A run in which the results of failed files are replaced by those of their second run. */
export const withRerun = (first: Report, second: Report): Report => ({
  testResults: [...first.testResults.filter(({ status }) => status !== "failed"), ...second.testResults],
});

const bin = (name: string): string => join(checkout, "node_modules", ".bin", name);

interface Run {
  readonly report: Report | undefined;
  readonly exitCode: number;
}

const runTests = async (args: readonly string[]): Promise<Run> => {
  const dir = await mkdtemp(join(tmpdir(), "orrery-test-"));
  const file = join(dir, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const command = [process.execPath, bin("vitest"), "run", "--root", checkout, ...reporters, ...args];
    const exitCode = await runAttached(command);
    const text = await readFile(file, "utf8").catch(() => undefined);
    return { report: text === undefined ? undefined : (JSON.parse(text) as Report), exitCode };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};

/**
 * Runs the tests, and failed files a second time, one at a time. Tests of real processes in real time can fail on a
 * busy machine; broken ones fail again. The first failure stays in the output.
 */
const testTotals = async (filters: readonly string[]): Promise<Tally> => {
  const first = await runTests(filters);
  const files = first.report === undefined ? [] : failedFiles(first.report);
  if (first.report === undefined || files.length === 0) return tally(first.report, first.exitCode);
  process.stdout.write(`\nfailed, run once more one at a time:\n${files.map((f) => `  ${f}\n`).join("")}\n`);
  const second = await runTests(["--no-file-parallelism", ...files]);
  return tally(second.report && withRerun(first.report, second.report), second.exitCode);
};

const check = async (): Promise<Tally> => {
  const code = await runAttached(["npm", "--prefix", checkout, "run", "check"]);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
};

/** Adds `test` to the program. */
export const register = (program: Command): void => {
  program
    .command("test [filters...]")
    .summary("run every check and every test, also those that need Docker")
    .addHelpText("after", "\nExamples:\n  orrery test\n  orrery test test/e2e")
    .action(async (filters: readonly string[]) => {
      const parts = [...(filters.length === 0 ? [await check()] : []), await testTotals(filters)];
      const passed = parts.reduce((sum, part) => sum + part.passed, 0);
      const failed = parts.reduce((sum, part) => sum + part.failed, 0);
      process.stdout.write(`${passed} passed, ${failed} failed\n`);
      if (failed > 0) process.exitCode = 1;
    });
};
