// The observation that a pod's decision and status derive from.
import type { Instant } from "../../api/meta.ts";
import type { PendingResize } from "../podspec/resize.ts";
import type { Health } from "../probes/prober.ts";
import type { RuntimeContainer, Sandbox } from "../runtime.ts";
import type { Remembered } from "./memory.ts";

/** `pod` has the resources that the node has given it. */
export interface PodObservation extends Readonly<Remembered> {
  readonly now: Instant;
  readonly hostIp: string;
  readonly sandboxes: readonly Sandbox[];
  readonly containers: readonly RuntimeContainer[];
  /** By container id. */
  readonly health: Readonly<Record<string, Health>>;
  /** Why `pod` has the resources it was given before, not those of the API's object. */
  readonly pendingResize: PendingResize | undefined;
  /** Keys of the actions that were under way when the observation began. */
  readonly underWay: ReadonlySet<string>;
  /** The API has the current status, so the containers that it derives from may be removed. */
  readonly reported: boolean;
}
