// Colours the cells of tables in a terminal: phases by what they mean, ages dimly. Never in a pipe, nor with NO_COLOR.
import pc from "picocolors";
import type { Paint } from "./tab-writer.ts";

const good = /^(Running|Ready|Active|Bound|Available|Complete|Completed|Succeeded|Normal|True)$/;
const waiting =
  /^(Pending|ContainerCreating|PodInitializing|Terminating|Released|Unknown|Warning|Suspended|SchedulingGated|Init:\d|.*SchedulingDisabled)/;
const bad = /Err|BackOff|Failed|Evicted|OOMKilled|NotReady|Invalid|Lost|False/;

const statusColor = (cell: string): string =>
  bad.test(cell) ? pc.red(cell) : waiting.test(cell) ? pc.yellow(cell) : good.test(cell) ? pc.green(cell) : cell;

const painters: Readonly<Record<string, (cell: string) => string>> = {
  STATUS: statusColor,
  TYPE: (cell) => (/^(Normal|Warning)$/.test(cell) ? statusColor(cell) : cell),
  AGE: pc.dim,
  "LAST SEEN": pc.dim,
};

/** Colours the columns of a header; undefined where the output has no colours. */
export function paintFor(header: readonly string[], isTerminal: boolean): Paint | undefined {
  if (!isTerminal || !pc.isColorSupported) return undefined;
  const columns = header.map((title) => painters[title]);
  return (cell, column) => (cell === header[column] ? cell : (columns[column]?.(cell) ?? cell));
}
