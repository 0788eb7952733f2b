// What the cycles of pods and of pod groups work with.
import { isTerminal } from "../api/core/pod/status.ts";
import type { Pod } from "../api/generated/types.ts";
import type { Client } from "../machinery/client.ts";
import type { Informer } from "../machinery/informer.ts";
import type { World } from "../machinery/world.ts";
import type { AttemptLog } from "./attempts.ts";
import type { SchedulerCache } from "./cache.ts";
import type { PluginViews } from "./framework.ts";
import type { Profiles } from "./profiles.ts";
import type { SchedulingQueue } from "./queue.ts";
import type { Report } from "./report.ts";

export interface CyclePorts {
  readonly view: Informer<Pod>;
  readonly views: PluginViews;
  readonly client: Client;
  readonly world: World;
  readonly queue: SchedulingQueue;
  readonly cache: SchedulerCache;
  readonly profileOf: Profiles;
  readonly report: Report;
  readonly attempts: AttemptLog;
}

/** Without a node, and neither finished nor on its way out. */
export const isPending = (p: Pod): boolean =>
  p.spec.nodeName === undefined && p.metadata.deletionTimestamp === undefined && !isTerminal(p);

/** Whether a pod is still the one that was decided, and without a node. */
export const isSame = (now: Pod | undefined, { metadata }: Pod): boolean =>
  now !== undefined && now.metadata.uid === metadata.uid && isPending(now);
