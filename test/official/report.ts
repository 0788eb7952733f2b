// `docs/conformance.md`, made from the outcomes of the last run of each area. Pure.
import { areaOf, areas, missingFor } from "./areas.ts";
import type { Outcome } from "./specs.ts";

/** The last run of one area. */
export interface AreaRun {
  readonly area: string;
  /** As `2026-11-30`. */
  readonly date: string;
  readonly outcomes: readonly Outcome[];
}

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
const bare = (spec: string): string => spec.replaceAll(/ \[(Conformance|Serial|NodeConformance|LinuxOnly)\]/g, "");

function areaRows(specs: readonly string[], runs: readonly AreaRun[]): readonly string[] {
  return areas.map(({ name }) => {
    const all = specs.filter((spec) => areaOf(spec)?.name === name);
    const run = runs.find((r) => r.area === name);
    const passed = run?.outcomes.filter(({ state }) => state === "passed").length ?? 0;
    return row([name, all.length, run?.outcomes.length ?? 0, passed, run?.date ?? "never"]);
  });
}

/** The page. `specs` are the names of all conformance specs. */
export function conformancePage(specs: readonly string[], runs: readonly AreaRun[]): string {
  const outcomes = runs.flatMap((r) => r.outcomes);
  const passed = outcomes.filter(({ state }) => state === "passed").length;
  const failed = outcomes.filter(({ state }) => state === "failed").map(({ spec }) => `* ${bare(spec)}`);
  const missing = new Map<string, number>();
  for (const spec of specs) {
    const what = missingFor(spec);
    if (what !== undefined) missing.set(what, (missing.get(what) ?? 0) + 1);
  }
  return `# Conformance

Kubernetes' own end-to-end suite (v1.36.3) has ${specs.length} conformance specs. **${passed} of the ${outcomes.length} that were run pass.** The rest
need what is not built yet. This page is made by \`test/official/run\`; how to run it stands in
[\`test/official/README.md\`](../test/official/README.md).

| area | specs | run | pass | date |
|---|---|---|---|---|
${areaRows(specs, runs).join("\n")}

## What fails

${failed.length === 0 ? "Nothing of what was run." : failed.toSorted().join("\n")}

## What is not run

| specs need | count |
|---|---|
${[...missing].map((entry) => row(entry)).join("\n")}
`;
}
