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

/** Reads vitest's report; a run that ended without one, or with a file that would not load, has failed. */
export const tally = (report: string | undefined, exitCode: number): Tally => {
  if (report === undefined) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests } = JSON.parse(report) as { numPassedTests: number; numFailedTests: number };
  return { passed: numPassedTests, failed: exitCode === 0 ? numFailedTests : Math.max(1, numFailedTests) };
};

const bin = (name: string): string => join(checkout, "node_modules", ".bin", name);

const runTests = async (filters: readonly string[]): Promise<Tally> => {
  const dir = await mkdtemp(join(tmpdir(), "orrery-test-"));
  const file = join(dir, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const code = await runAttached([
      process.execPath,
      bin("vitest"),
      "run",
      "--root",
      checkout,
      ...reporters,
      ...filters,
    ]);
    return tally(await readFile(file, "utf8").catch(() => undefined), code);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
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
      const parts = [...(filters.length === 0 ? [await check()] : []), await runTests(filters)];
      const passed = parts.reduce((sum, part) => sum + part.passed, 0);
      const failed = parts.reduce((sum, part) => sum + part.failed, 0);
      process.stdout.write(`${passed} passed, ${failed} failed\n`);
      if (failed > 0) process.exitCode = 1;
    });
};
