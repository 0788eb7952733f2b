// Prints the plan of `orrery rebalance`: as a table with a summary, or as data.
import { percent } from "../../api/core/utilization.ts";
import type { Plan, Usage } from "../../controllers/descheduler/plan.ts";
import { textTable } from "./table.ts";

const nodes = (count: number): string => `${count} ${count === 1 ? "node" : "nodes"}`;
const usage = ({ nodes: count, cpu, memory }: Usage): string =>
  `${nodes(count)} in use, with ${percent(cpu)} of CPU and ${percent(memory)} of memory requested`;

const mostNotes = 10;
/** What the plan changes, in lines. */
function summary({ moves, freedNodes, before, after, notes }: Plan): readonly string[] {
  return [
    ...notes.slice(0, mostNotes).map((note) => `Note: ${note}.`),
    ...(notes.length > mostNotes ? [`Note: ${notes.length - mostNotes} more; -o yaml has all.`] : []),
    ...(moves.length === 0 ? ["Nothing to move."] : []),
    ...(freedNodes.length > 0 ? [`Frees ${freedNodes.join(", ")}.`] : []),
    ...(moves.length > 0 ? [`Before: ${usage(before)}.`, `After:  ${usage(after)}.`] : [`Now: ${usage(before)}.`]),
  ];
}

/** One line for each pod to move, in their order, and what they change together. */
export function planText(plan: Plan): string {
  const rows = plan.moves.map(({ pod, from, to, because, allowances }) => [
    ...[pod.metadata.namespace ?? "", pod.metadata.name, from, to],
    allowances.map(({ budget, disruptionsAllowed }) => `${budget} (${disruptionsAllowed})`).join(",") || "<none>",
    because,
  ]);
  const table = textTable(["NAMESPACE", "POD", "FROM", "TO", "BUDGET", "WHY"], rows);
  return `${[...(rows.length > 0 ? [table, ""] : []), ...summary(plan)].join("\n")}\n`;
}

/** The plan for programs: names instead of objects. */
export const planData = ({ moves, freedNodes, before, after, notes }: Plan): object => ({
  moves: moves.map(({ pod, allowances, ...move }) => ({
    ...{ namespace: pod.metadata.namespace, pod: pod.metadata.name, ...move, budgets: allowances },
  })),
  ...{ freedNodes, usage: { before, after }, notes },
});
