// Runs ginkgo and reads its report: which specs ran, how each ended, how long it took.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where `build` puts the suite and its programs. */
export const programs = process.env["OFFICIAL_BIN"] ?? join(homedir(), ".cache/orrery-official");

export interface Outcome {
  readonly spec: string;
  readonly state: "passed" | "failed";
  readonly seconds: number;
}
export interface Selection {
  /** Regular expressions in Go's syntax over the full names of specs. */
  readonly focus: string;
  readonly skip?: string;
}
export interface RunOptions extends Selection {
  readonly kubeconfig: string;
  /** Log and report are written here. */
  readonly folder: string;
  /** Specs at a time. */
  readonly procs: number;
  readonly seconds: number;
}

interface SpecReport {
  readonly LeafNodeType: string;
  readonly LeafNodeText: string;
  readonly ContainerHierarchyTexts: readonly string[] | null;
  readonly State: string;
  /** In nanoseconds. */
  readonly RunTime: number;
}

function outcomesIn(file: string): readonly Outcome[] {
  const suites = JSON.parse(readFileSync(file, "utf8")) as readonly { readonly SpecReports: readonly SpecReport[] }[];
  return suites
    .flatMap((suite) => suite.SpecReports)
    .filter((s) => s.LeafNodeType === "It" && s.State !== "skipped" && s.State !== "pending")
    .map((s) => ({
      spec: [...(s.ContainerHierarchyTexts ?? []), s.LeafNodeText].join(" "),
      state: s.State === "passed" ? "passed" : "failed",
      seconds: s.RunTime / 1e9,
    }));
}

/** The drivers of this project, for the specs of "External Storage". */
const drivers = ["local", "shared"].map(
  (name) => `--storage.testdriver=${join(import.meta.dirname, "drivers", `${name}.yaml`)}`,
);

async function ginkgo(folder: string, flags: readonly string[], suiteFlags: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const log = createWriteStream(join(folder, "log"));
  const command = [
    ...["--no-color", "--silence-skips", `--output-dir=${folder}`, "--json-report=report.json", ...flags],
    ...[join(programs, "e2e.test"), "--", "--provider=skeleton", ...drivers, ...suiteFlags],
  ];
  const run = spawn(join(programs, "ginkgo"), command, { stdio: ["ignore", "pipe", "pipe"] });
  run.stdout.pipe(log);
  run.stderr.pipe(log);
  await once(run, "exit");
}

/** The names of the specs that a focus picks, without running any. */
export async function specsOf(focus: string, folder: string, kubeconfig: string): Promise<readonly string[]> {
  await ginkgo(folder, ["--dry-run", `--focus=${focus}`], [`--kubeconfig=${kubeconfig}`]);
  return outcomesIn(join(folder, "report.json")).map(({ spec }) => spec);
}

/** Runs a selection of specs. Failing specs are outcomes, not errors. */
export async function runSpecs(options: RunOptions): Promise<readonly Outcome[]> {
  const { focus, skip, kubeconfig, folder, procs, seconds } = options;
  await ginkgo(
    folder,
    [`--procs=${procs}`, `--timeout=${seconds}s`, `--focus=${focus}`, ...(skip ? [`--skip=${skip}`] : [])],
    [
      ...[`--kubeconfig=${kubeconfig}`, "--num-nodes=3", "--allowed-not-ready-nodes=0"],
      ...["--dump-logs-on-failure=false", `--e2e-output-dir=${folder}`],
    ],
  );
  return outcomesIn(join(folder, "report.json"));
}
