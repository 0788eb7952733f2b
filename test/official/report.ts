// `docs/conformance.md`, made from the outcomes of the last run of each area. Pure.
import { type Area, areaOf, areas, isConformance, missingFor, notBuilt } from "./areas.ts";
import type { Outcome } from "./specs.ts";

/** The last run of one area. */
export interface AreaRun {
  readonly area: string;
  /** As `2026-11-30`. */
  readonly date: string;
  readonly outcomes: readonly Outcome[];
}

const outcomesOf = (runs: readonly AreaRun[]): readonly Outcome[] => runs.flatMap((r) => r.outcomes);
const passed = (outcomes: readonly Outcome[]): number => outcomes.filter(({ state }) => state === "passed").length;
const row = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
const bare = (spec: string): string => spec.replaceAll(/ \[(Conformance|Serial|NodeConformance|LinuxOnly)\]/g, "");

function areaRows(of: readonly Area[], specs: readonly string[], runs: readonly AreaRun[]): readonly string[] {
  return of.map(({ name }) => {
    const all = specs.filter((spec) => areaOf(spec)?.name === name);
    const run = runs.find((r) => r.area === name);
    return row([name, all.length, run?.outcomes.length ?? 0, passed(run?.outcomes ?? []), run?.date ?? "never"]);
  });
}

/** How many specs wait for each thing that is missing. */
const missingRows = (specs: readonly string[]): readonly string[] =>
  notBuilt
    .map(({ what }) => [what, specs.filter((spec) => missingFor(spec) === what).length] as const)
    .filter(([, count]) => count > 0)
    .map(row);

/** Specs of areas that nothing is missing for, and that the last runs did not have. */
function pendingRows(specs: readonly string[], runs: readonly AreaRun[]): readonly string[] {
  const run = new Set(outcomesOf(runs).map(({ spec }) => spec));
  const pending = specs.filter((spec) => areaOf(spec) && missingFor(spec) === undefined && !run.has(spec));
  return pending.length === 0
    ? []
    : [row(["nothing: they were not chosen, or were not built at the last run", pending.length])];
}

/** The tables of specs: by area, what fails, and what is not run. */
function tables(of: readonly Area[], specs: readonly string[], runs: readonly AreaRun[]): string {
  const failed = outcomesOf(runs)
    .filter(({ state }) => state === "failed")
    .map(({ spec }) => `* ${bare(spec)}`);
  return `| area | specs | run | pass | date |
|---|---|---|---|---|
${areaRows(of, specs, runs).join("\n")}

### What fails

${failed.length === 0 ? "Nothing of what was run." : failed.toSorted().join("\n")}

### What is not run

| specs need | count |
|---|---|
${[...missingRows(specs), ...pendingRows(specs, runs)].join("\n")}
`;
}

/** The page. `specs` are the names of all specs that areas have. */
export function conformancePage(specs: readonly string[], runs: readonly AreaRun[]): string {
  const [conformance, beyond] = [specs.filter(isConformance), specs.filter((spec) => !isConformance(spec))];
  const [own, other] = [areas.filter((a) => !a.isBeyond), areas.filter((a) => a.isBeyond)];
  const runsOf = (of: readonly Area[]): readonly AreaRun[] =>
    runs.filter(({ area }) => of.some((a) => a.name === area));
  const [outcomes, others] = [outcomesOf(runsOf(own)), outcomesOf(runsOf(other))];
  return `# Conformance

Kubernetes' own end-to-end suite (v1.36.3) has ${conformance.length} conformance specs. **${passed(outcomes)} of the ${outcomes.length} that were run pass.** Why the
others were not stands below. This page is made by \`test/official/run\`; how to run it stands in
[\`test/official/README.md\`](../test/official/README.md).

## Conformance specs

${tables(own, conformance, runsOf(own))}
## Specs beyond conformance

The suite tests more than conformance demands. Its other specs of workloads (sig-apps), scheduling (sig-scheduling) and
storage (sig-storage) are run as well, the latter also on the drivers of this project:
**${passed(others)} of the ${others.length} that were run pass.**

${tables(other, beyond, runsOf(other))}`;
}
