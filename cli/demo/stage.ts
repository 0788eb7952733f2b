// What every act of the tour is handed: the cluster, a way to wait for what should come true, and a voice.
import type { Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/core/pods.ts";
import { isActive, isReady } from "../../api/core/pod/status.ts";
import type { Client } from "../../machinery/client.ts";
import { CliError } from "../cli-error.ts";
import type { Io } from "../progress.ts";

/** The place where an act happens. */
export interface Stage {
  readonly cluster: string;
  readonly namespace: string;
  readonly client: Client;
  readonly io: Io;
  readonly signal: AbortSignal;
}

/** One thing the cluster is seen to do: what it shows, in a sentence, and how it is shown. */
export interface Act {
  readonly title: string;
  readonly story: string;
  /** Why this cluster cannot show it, if it cannot. */
  readonly obstacle?: (stage: Stage) => Promise<string | undefined>;
  readonly play: (stage: Stage) => Promise<void>;
}

/** What a look at the cluster found: how it is in a few words, and whether that is what was waited for. */
export interface Look {
  readonly come: boolean;
  readonly seen: string;
}

const lookEveryMs = 100;

/** Waits until a look finds what it looks for, shows how long that took, and fails with what was seen last. */
export function eventually(
  { io, signal }: Stage,
  title: string,
  withinMs: number,
  look: () => Promise<Look>,
): Promise<void> {
  return io.progress.step(title, async (note) => {
    const deadline = io.clock.now() + withinMs;
    for (;;) {
      const { come, seen } = await look();
      if (come) return;
      note(seen);
      if (io.clock.now() > deadline)
        throw new CliError(`${title}: this did not happen within ${withinMs / 1000} s; seen last: ${seen}`);
      await io.clock.sleep(lookEveryMs, signal);
    }
  });
}

/** Fails the tour when what it just showed is not so. */
export function check(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new CliError(otherwise);
}

/** Says what there is to see, under the step that showed it. */
export const tell = (stage: Stage, text: string): void => stage.io.progress.say(`      ${text}`);

/** The pods of one app that are neither dead nor on their way out. */
export async function livePods({ client, namespace }: Stage, app: string): Promise<readonly Pod[]> {
  const { items } = await client.list(pods, { namespace, labelSelector: `app=${app}` });
  return items.filter(isActive);
}

/** `web-a on node-1, web-b on node-2`. */
export const placesOf = (all: readonly Pod[]): string =>
  all.map((pod) => `${pod.metadata.name} on ${pod.spec.nodeName ?? "no node"}`).join(", ");

/** A look at whether so many pods of an app are Ready, and no others are left. */
export const readyPods =
  (stage: Stage, app: string, count: number, also: (pod: Pod) => boolean = () => true) =>
  async (): Promise<Look> => {
    const live = await livePods(stage, app);
    const good = live.filter((pod) => isReady(pod) && also(pod));
    const seen = `${good.length} of ${count} Ready${live.length > good.length ? `, ${live.length - good.length} not yet` : ""}`;
    return { come: good.length === count && live.length === count, seen };
  };
