// Observes a pod: the engine's list, the probes' results and the worker's memory.
import type { Pod } from "../../api/generated/types.ts";
import type { NodeContext } from "../node-context.ts";
import type { Prober } from "../probes/prober.ts";
import type { Inventory, RuntimeContainer } from "../runtime.ts";
import type { PodMemory, PodObservation } from "./memory.ts";
import { terminationMessage } from "./pod-files.ts";
import { withAllocated, isResized } from "../podspec/resources.ts";
import { containerNamed, containerStatusesOf } from "../podspec/containers.ts";
import { hasEnded, isRunning, liveSandbox } from "./runs.ts";

async function withTerminationMessage(
  node: NodeContext,
  memory: PodMemory,
  run: RuntimeContainer,
): Promise<RuntimeContainer> {
  if (!hasEnded(run) || run.status.message) return run;
  const message = memory.terminationMessages.get(run.id) ?? (await terminationMessage(node, memory.pod, run));
  memory.terminationMessages.set(run.id, message);
  return message === "" ? run : { ...run, status: { ...run.status, message } };
}

/** Starts the probes of running containers; after a restart of the kubelet their state continues from the API's. */
function watchRunning(
  health: Prober,
  pod: Pod | undefined,
  { containers, sandboxes }: Inventory,
  nodeIp: string,
): void {
  health.keep(containers.filter(isRunning));
  if (pod === undefined) return;
  const podIp = (pod.spec.hostNetwork ? undefined : liveSandbox(sandboxes)?.ip) ?? nodeIp;
  const reported = containerStatusesOf(pod);
  for (const run of containers) {
    const container = containerNamed(pod, run.name);
    if (run.status.state !== "running" || container === undefined) continue;
    const before = reported.find((s) => s.containerID?.endsWith(run.id));
    const known = before && { started: before.started ?? false, ready: before.ready };
    health.watch({ id: run.id, container, podIp }, run.status.startedAt, known);
  }
}

/** Admits a pod that is new to the node; one with containers or a start time was admitted before. */
function admit(node: NodeContext, memory: PodMemory, { containers, sandboxes }: Inventory): void {
  const { pod } = memory;
  if (pod === undefined || memory.admitted || memory.gone || pod.metadata.deletionTimestamp !== undefined) return;
  const isNew = containers.length === 0 && sandboxes.length === 0 && pod.status?.startTime === undefined;
  if (isNew) memory.rejection = node.admit(pod);
  memory.admitted = true;
  if (memory.rejection) node.events.record(pod, "Warning", memory.rejection.reason, memory.rejection.message);
}

/** The observation of the pod at this time. */
export async function observePod(
  uid: string,
  node: NodeContext,
  memory: PodMemory,
  { health, underWay }: { readonly health: Prober; readonly underWay: ReadonlySet<string> },
  signal: AbortSignal,
): Promise<PodObservation> {
  const inventory = await node.runtime.list(uid, signal);
  watchRunning(health, memory.pod, inventory, node.nodeIp);
  admit(node, memory, inventory);
  const pendingResize = memory.pod && isResized(memory.pod) ? node.fits(memory.pod) : undefined;
  const containers = await Promise.all(inventory.containers.map((run) => withTerminationMessage(node, memory, run)));
  return {
    ...memory,
    pod: memory.pod && pendingResize ? withAllocated(memory.pod) : memory.pod,
    now: node.world.clock.now(),
    hostIp: node.nodeIp,
    recursiveReadOnlyMounts: node.recursiveReadOnlyMounts(),
    sandboxes: inventory.sandboxes,
    containers,
    health: health.health(),
    pendingResize,
    underWay,
    reported: false,
  };
}
