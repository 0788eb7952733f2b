// What the acts of the tour share: access to the cluster, waiting for conditions, and output.
import type { Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/core/pods.ts";
import { isActive, isReady } from "../../api/core/pod/status.ts";
import type { Client } from "../../machinery/client.ts";
import { CliError } from "../cli-error.ts";
import type { Io } from "../progress.ts";

/** The environment of an act. */
export interface Stage {
  readonly cluster: string;
  readonly namespace: string;
  readonly client: Client;
  readonly io: Io;
  readonly signal: AbortSignal;
}

/** A demonstration: its explanation, and the steps that perform and check it. */
export interface Act {
  readonly title: string;
  readonly story: string;
  /** The reason why this cluster cannot show it, or undefined. */
  readonly obstacle?: (stage: Stage) => Promise<string | undefined>;
  readonly play: (stage: Stage) => Promise<void>;
}

/** Whether a condition holds, and a short description of what was observed. */
export interface Observation {
  readonly holds: boolean;
  readonly seen: string;
}

const pollIntervalMs = 100;

/** Polls until the condition holds and shows how long that took. Throws CliError with the last observation. */
export function eventually(
  { io, signal }: Stage,
  title: string,
  withinMs: number,
  observe: () => Promise<Observation>,
): Promise<void> {
  return io.progress.step(title, async (note) => {
    const deadline = io.clock.now() + withinMs;
    for (;;) {
      const { holds, seen } = await observe();
      if (holds) return;
      note(seen);
      if (io.clock.now() > deadline)
        throw new CliError(`${title}: this did not happen within ${withinMs / 1000} s; seen last: ${seen}`);
      await io.clock.sleep(pollIntervalMs, signal);
    }
  });
}

/** Throws CliError when a condition does not hold. */
export function check(holds: boolean, failure: string): asserts holds {
  if (!holds) throw new CliError(failure);
}

/** Prints a detail of the last step. */
export const detail = (stage: Stage, text: string): void => stage.io.progress.say(`      ${text}`);

/** The active pods of an app: neither terminal nor being deleted. */
export async function activePods({ client, namespace }: Stage, app: string): Promise<readonly Pod[]> {
  const { items } = await client.list(pods, { namespace, labelSelector: `app=${app}` });
  return items.filter(isActive);
}

/** `web-a on node-1, web-b on node-2`. */
export const placements = (all: readonly Pod[]): string =>
  all.map((pod) => `${pod.metadata.name} on ${pod.spec.nodeName ?? "no node"}`).join(", ");

/** Observes whether exactly `count` active pods of an app exist, all of them Ready and accepted by `accepts`. */
export const readyPods =
  (stage: Stage, app: string, count: number, accepts: (pod: Pod) => boolean = () => true) =>
  async (): Promise<Observation> => {
    const active = await activePods(stage, app);
    const ready = active.filter((pod) => isReady(pod) && accepts(pod));
    const seen = `${ready.length} of ${count} Ready${active.length > ready.length ? `, ${active.length - ready.length} not yet` : ""}`;
    return { holds: ready.length === count && active.length === count, seen };
  };
