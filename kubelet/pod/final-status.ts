// Container statuses of a pod that has ended: a container without a recorded exit counts as failed. Pure.
import type { ContainerStatus, Pod } from "../../api/generated/types.ts";
import { isTerminal } from "../../api/core/pod/status.ts";
import { initContainersOf, isSidecar } from "../podspec/containers.ts";
import type { PodObservation } from "./observation.ts";
import { mustEnd } from "./termination.ts";

interface Statuses {
  readonly inits: readonly ContainerStatus[];
  readonly own: readonly ContainerStatus[];
}

/** Whether nothing of the pod runs, or will run again. */
export const isOver = (pod: Pod, o: PodObservation): boolean =>
  (mustEnd(pod, o) || isTerminal(pod)) &&
  o.sandboxes.length === 0 &&
  o.containers.every((run) => run.status.state === "exited");

const unknownExit = {
  exitCode: 137,
  reason: "ContainerStatusUnknown",
  message: "The container could not be located when the pod was terminated",
};
const withExit = (status: ContainerStatus): ContainerStatus =>
  status.state?.terminated ? status : { ...status, ready: false, started: false, state: { terminated: unknownExit } };

const hasBegun = (s: ContainerStatus): boolean =>
  s.state?.waiting === undefined || s.lastState?.terminated !== undefined;

function isInitialized(pod: Pod, { inits, own }: Statuses): boolean {
  const spec = initContainersOf(pod).at(-1);
  const last = inits.at(-1);
  if (spec === undefined || own.some(hasBegun)) return true;
  if (isSidecar(spec)) return last?.state?.running !== undefined && last.started === true;
  return [last?.state, last?.lastState].some((state) => state?.terminated?.exitCode === 0);
}

/**
 * Gives each container that may have run an exit. Init containers after the last one that began, and all others of a
 * pod that was never initialized, keep waiting: they certainly did not run.
 */
export function ended(pod: Pod, { inits, own }: Statuses): Statuses {
  const begun = Math.max(1, inits.findLastIndex(hasBegun) + 1);
  return {
    inits: inits.map((s, i) => (i < begun ? withExit(s) : s)),
    own: isInitialized(pod, { inits, own }) ? own.map(withExit) : own,
  };
}
