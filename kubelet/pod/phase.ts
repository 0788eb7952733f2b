// The phase of a pod, from the statuses of its containers. Pure.
import type { Container, ContainerStatus, Pod } from "../../api/generated/types.ts";
import { initContainersOf, isSidecar } from "../podspec/containers.ts";

type Statuses = Readonly<Record<string, ContainerStatus>>;

/** An init container is done after a success, a sidecar once it has started. */
export function initDone(c: Container, status: ContainerStatus | undefined): boolean {
  if (isSidecar(c)) return status?.started === true;
  return status?.state?.terminated?.exitCode === 0;
}

const failedForGood = (pod: Pod, c: Container, status: ContainerStatus | undefined): boolean => {
  const exit = status?.state?.terminated;
  return !isSidecar(c) && exit !== undefined && exit.exitCode !== 0 && pod.spec.restartPolicy === "Never";
};

/** A container that waits for a restart has run. */
const hasRun = (s: ContainerStatus | undefined): boolean =>
  s?.state?.running !== undefined || s?.state?.terminated !== undefined || s?.lastState?.terminated !== undefined;

/** The phase of a pod whose containers have these statuses. */
export function phaseOf(pod: Pod, statuses: Statuses): "Pending" | "Running" | "Succeeded" | "Failed" {
  const inits = initContainersOf(pod);
  if (inits.some((c) => failedForGood(pod, c, statuses[c.name]))) return "Failed";
  const own = pod.spec.containers.map((c) => statuses[c.name]);
  const begun = own.some(hasRun);
  if (!begun && inits.some((c) => !initDone(c, statuses[c.name]))) return "Pending";
  if (!own.every(hasRun)) return "Pending";
  const exits = own.map((s) => (s?.state?.running ? undefined : (s?.state?.terminated ?? s?.lastState?.terminated)));
  if (exits.some((e) => e === undefined)) return "Running";
  const policy = pod.spec.restartPolicy ?? "Always";
  if (policy === "Always") return "Running";
  if (exits.every((e) => e?.exitCode === 0)) return "Succeeded";
  return policy === "Never" ? "Failed" : "Running";
}
