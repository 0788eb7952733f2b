// The size of workers: parses CPU and memory options, and computes the defaults.
import { milliOf, unitsOf } from "../../api/quantity.ts";
import { CliError } from "../cli-error.ts";

/** Bytes of a quantity such as "2Gi", "512Mi" or a plain number. */
export const parseMemory = (text: string): number => {
  const bytes = unitsOf(text);
  if (bytes >= 256 * 2 ** 20) return bytes;
  throw new CliError(
    `"${text}" is no amount of memory a node can work with`,
    "Write it like 2Gi or 512Mi; at least 256Mi.",
  );
};

/** CPUs of a quantity such as "2", "0.5" or "500m"; at most those of the machine. */
export const parseCpus = (text: string, machine: number): number => {
  const cpus = milliOf(text) / 1000;
  if (cpus >= 0.1 && cpus <= machine) return cpus;
  throw new CliError(
    `"${text}" is no number of processors for a node`,
    `Write it like 2, 0.5 or 500m; from 0.1 to the ${machine} this machine has.`,
  );
};

/** An integer within bounds. */
export const parseCount = (text: string, what: string, least: number, most: number): number => {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (count >= least && count <= most) return count;
  throw new CliError(`"${text}" is no number of ${what}`, `Write a whole number from ${least} to ${most}.`);
};

/**
 * The default size. Nodes share the CPUs, so each may use two. Their memory limits add up to at most 80 % of the
 * machine's memory, but a node has at least 512 MiB.
 */
export const defaultSize = (
  machine: { readonly cpus: number; readonly memoryBytes: number },
  nodes: number,
): { cpus: string; memory: string } => {
  const share = Math.floor((machine.memoryBytes * 0.8) / Math.max(1, nodes) / 2 ** 29) / 2;
  return { cpus: String(Math.min(2, machine.cpus)), memory: `${Math.min(2, Math.max(0.5, share))}Gi` };
};
