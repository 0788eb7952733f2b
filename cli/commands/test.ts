// orrery test: every check and every test there is, and one line that says how it went.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { checkout } from "../cluster/paths.ts";
import { runAttached } from "../cluster/subprocess.ts";

/** What counts in the end. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** The part of vitest's JSON report that is read here. */
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

/** Counts a run; one that ended without a report, or with a file that would not load, has failed. */
export const tally = (report: Report | undefined, exitCode: number): Tally => {
  if (report === undefined) return { passed: 0, failed: 1 };
  const failed = count(report, "failed");
  return { passed: count(report, "passed"), failed: exitCode === 0 ? failed : Math.max(1, failed) };
};

/** The files in which something failed, each once. */
export const failedFiles = (report: Report): string[] => [
  ...new Set(report.testResults.filter(({ status }) => status === "failed").map(({ name }) => name)),
];

/** A run as it stands once its failed files have been heard again: what they say the second time is what counts. */
export const reconsidered = (first: Report, second: Report): Report => ({
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
    const exitCode = await runAttached([
      process.execPath,
      bin("vitest"),
      "run",
      "--root",
      checkout,
      ...reporters,
      ...args,
    ]);
    const written = await readFile(file, "utf8").catch(() => undefined);
    return { report: written === undefined ? undefined : (JSON.parse(written) as Report), exitCode };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};

/**
 * Hears failed files once more, one after the other with nothing beside them. What holds real processes to real time
 * can lose to a busy machine; what is broken fails again. Either way the first failure stays in the output.
 */
const heard = async (filters: readonly string[]): Promise<Tally> => {
  const first = await runTests(filters);
  const files = first.report === undefined ? [] : failedFiles(first.report);
  if (first.report === undefined || files.length === 0) return tally(first.report, first.exitCode);
  process.stdout.write(`\nunsteady or broken, heard once more alone:\n${files.map((f) => `  ${f}\n`).join("")}\n`);
  const second = await runTests(["--no-file-parallelism", ...files]);
  return tally(second.report && reconsidered(first.report, second.report), second.exitCode);
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
      const parts = [...(filters.length === 0 ? [await check()] : []), await heard(filters)];
      const passed = parts.reduce((sum, part) => sum + part.passed, 0);
      const failed = parts.reduce((sum, part) => sum + part.failed, 0);
      process.stdout.write(`${passed} passed, ${failed} failed\n`);
      if (failed > 0) process.exitCode = 1;
    });
};
