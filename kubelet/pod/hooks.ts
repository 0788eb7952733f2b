// Lifecycle hooks: postStart and preStop.
import type { Container, LifecycleHandler, Pod } from "../../api/generated/types.ts";
import type { NodeContext } from "../node-context.ts";
import { failure, type HandlerOutcome, success, runHandler, type Target } from "../probes/handlers.ts";
import type { Prober } from "../probes/prober.ts";

const longestHookMs = 24 * 3_600_000;

function runHook(
  node: NodeContext,
  target: Target,
  hook: LifecycleHandler,
  limit: { readonly ms: number; readonly signal: AbortSignal },
): Promise<HandlerOutcome> {
  return hook.sleep
    ? node.world.clock.sleep(hook.sleep.seconds * 1_000, limit.signal).then(() => success)
    : runHandler(node, target, hook, limit).catch((e: Error) => failure(e.message));
}

/** Runs the postStart hook concurrently with the container; a failure restarts the container. */
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
  const outcome = await runHook(node, target, hook, { ms: longestHookMs, signal });
  const hasFailed = reportFailure(node, pod, target, "PostStart", outcome);
  health.hookEnded(target.id, hasFailed ? "FailedPostStartHook" : undefined);
}

/** Records an event about a hook that failed. */
function reportFailure(node: NodeContext, pod: Pod, target: Target, hook: string, outcome: HandlerOutcome): boolean {
  if (outcome.result !== "failure") return false;
  const message = `${hook}Hook failed: ${outcome.output}`;
  node.events.record(pod, "Warning", `Failed${hook}Hook`, message, fieldPath(pod, target.container.name));
  return true;
}

/** Runs the preStop hook before the stop signal; its time is part of the grace period. */
export async function beforeStop(
  node: NodeContext,
  pod: Pod,
  target: Target,
  graceMs: number,
  signal: AbortSignal,
): Promise<void> {
  const hook = target.container.lifecycle?.preStop;
  if (hook === undefined) return;
  const grace = node.world.clock.sleep(graceMs, signal).then(() => success);
  const outcome = await Promise.race([runHook(node, target, hook, { ms: graceMs, signal }), grace]);
  reportFailure(node, pod, target, "PreStop", outcome);
}

/** The field path of an event about a container. */
export function fieldPath(pod: Pod, container: string): string {
  const among = (all: readonly Container[] | undefined): boolean => all?.some((c) => c.name === container) ?? false;
  const { initContainers, ephemeralContainers } = pod.spec;
  const list = among(initContainers) ? "initContainers" : among(ephemeralContainers) ? "ephemeralContainers" : "";
  return `spec.${list || "containers"}{${container}}`;
}
