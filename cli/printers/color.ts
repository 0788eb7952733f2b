// Colours the cells of tables in a terminal: phases by what they mean, ages dimly. Never in a pipe, nor with NO_COLOR.
import pc from "picocolors";
import type { Paint } from "./tab-writer.ts";

const good = /^(Running|Ready|Active|Bound|Available|Complete|Completed|Succeeded|Normal|True)$/;
const waiting =
  /^(Pending|ContainerCreating|PodInitializing|Terminating|Released|Unknown|Warning|Suspended|SchedulingGated|Init:\d|.*SchedulingDisabled)/;
const bad = /Err|BackOff|Failed|Evicted|OOMKilled|NotReady|Invalid|Lost|False/;

type CellColor = "red" | "yellow" | "green" | "dim";

const statusColor = (cell: string): CellColor | undefined =>
  bad.test(cell) ? "red" : waiting.test(cell) ? "yellow" : good.test(cell) ? "green" : undefined;

const colors: Readonly<Record<string, (cell: string) => CellColor | undefined>> = {
  STATUS: statusColor,
  TYPE: (cell) => (/^(Normal|Warning)$/.test(cell) ? statusColor(cell) : undefined),
  AGE: () => "dim",
  "LAST SEEN": () => "dim",
};

/** The colour of a cell of the column with this title. */
export const colorOf = (title: string, cell: string): CellColor | undefined => colors[title]?.(cell);

/** Colours the columns of a header; undefined where the output has no colours. */
export function paintFor(header: readonly string[], isTerminal: boolean): Paint | undefined {
  if (!isTerminal || !pc.isColorSupported) return undefined;
  return (cell, column) => {
    const color = cell === header[column] ? undefined : colorOf(header[column] ?? "", cell);
    return color === undefined ? cell : pc[color](cell);
  };
}
