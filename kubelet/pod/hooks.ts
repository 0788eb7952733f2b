// Lifecycle hooks: what a container wants done right after its start and right before its end.
import type { Container, Pod } from "../../api/generated/types.ts";
import type { NodeContext } from "../node-context.ts";
import { ask, type Target } from "../probes/ask.ts";
import type { Prober } from "../probes/prober.ts";

const longestHookMs = 24 * 3_600_000;

/** Runs beside the container's own start; if it fails, the container is restarted. */
export async function afterStart(
  node: NodeContext,
  pod: Pod,
  target: Target,
  health: Prober,
  signal: AbortSignal,
): Promise<void> {
  const hook = target.container.lifecycle?.postStart;
  if (hook === undefined) return;
  health.hookBegan(target.id);
  const limit = { ms: longestHookMs, signal };
  const answer = hook.sleep
    ? await node.world.clock.sleep(hook.sleep.seconds * 1_000, signal).then(() => ({ ok: true, output: "" }))
    : await ask(node, target, hook, limit).catch((e: Error) => ({ ok: false, output: e.message }));
  if (answer.ok) return health.hookEnded(target.id);
  const words = `PostStartHook failed: ${answer.output}`;
  node.events.record(pod, "Warning", "FailedPostStartHook", words, fieldPath(pod, target.container.name));
  health.hookEnded(target.id, "FailedPostStartHook");
}

/** Runs before the container is asked to stop; the time it takes is part of the grace period. */
export async function beforeStop(
  node: NodeContext,
  pod: Pod,
  target: Target,
  graceMs: number,
  signal: AbortSignal,
): Promise<void> {
  const hook = target.container.lifecycle?.preStop;
  if (hook === undefined) return;
  const grace = node.world.clock.sleep(graceMs, signal).then(() => ({ ok: true, output: "" }));
  const done = hook.sleep
    ? node.world.clock.sleep(hook.sleep.seconds * 1_000, signal).then(() => ({ ok: true, output: "" }))
    : ask(node, target, hook, { ms: graceMs, signal }).catch((e: Error) => ({ ok: false, output: e.message }));
  const answer = await Promise.race([done, grace]);
  if (!answer.ok)
    node.events.record(
      pod,
      "Warning",
      "FailedPreStopHook",
      `PreStopHook failed: ${answer.output}`,
      fieldPath(pod, target.container.name),
    );
}

/** How an event names the container it is about. */
export function fieldPath(pod: Pod, container: string): string {
  const among = (all: readonly Container[] | undefined): boolean => all?.some((c) => c.name === container) ?? false;
  const { initContainers, ephemeralContainers } = pod.spec;
  const list = among(initContainers) ? "initContainers" : among(ephemeralContainers) ? "ephemeralContainers" : "";
  return `spec.${list || "containers"}{${container}}`;
}
