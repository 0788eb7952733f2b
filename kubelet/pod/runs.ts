// Selects among a pod's sandboxes and the runs of its containers. Pure.
import type { Exit, RuntimeContainer, Sandbox } from "../runtime.ts";

/** A container's runs, latest first. */
export const runsOf = (containers: readonly RuntimeContainer[], name: string): readonly RuntimeContainer[] =>
  containers.filter((c) => c.name === name).toSorted((a, b) => b.attempt - a.attempt);

/** The sandbox with the highest attempt number. */
export const latestSandbox = (sandboxes: readonly Sandbox[]): Sandbox | undefined =>
  sandboxes.toSorted((a, b) => b.attempt - a.attempt)[0];
export function liveSandbox(sandboxes: readonly Sandbox[]): Sandbox | undefined {
  const latest = latestSandbox(sandboxes);
  return latest?.state === "running" ? latest : undefined;
}

export type Ended = RuntimeContainer & { readonly status: Exit };
export const hasEnded = (run: RuntimeContainer): run is Ended => run.status.state === "exited";
export const isRunning = (run: RuntimeContainer): boolean => run.status.state === "running";
