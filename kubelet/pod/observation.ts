// The observation that a pod's decision and status derive from.
import type { PendingResize } from "../podspec/resize.ts";
import type { Pod } from "../../api/generated/types.ts";
import type { Instant } from "../../api/meta.ts";
import type { Rejection } from "../admission.ts";
import type { Health } from "../probes/prober.ts";
import type { RuntimeContainer, Sandbox } from "../runtime.ts";

/** The outcome of providing the image for one run of a container. */
export type ImageOutcome =
  | { readonly is: "there"; readonly attempt: number }
  | {
      readonly is: "failed";
      readonly attempt: number;
      readonly reason: "ErrImagePull" | "ErrImageNeverPull" | "InvalidImageName" | "ImageInspectError";
      readonly message: string;
      readonly at: Instant;
      readonly failures: number;
    };

/** Why a container could not be created; retried soon. */
export interface Refusal {
  readonly reason: "CreateContainerConfigError" | "CreateContainerError";
  readonly message: string;
  readonly at: Instant;
}

/** Whether the pod's volumes are prepared. */
export type VolumesState =
  | { readonly is: "unknown" }
  /** `until` is when a token has to be renewed. */
  | { readonly is: "ready"; readonly until?: Instant }
  | { readonly is: "failed"; readonly at: Instant; readonly failures: number };

export interface PodObservation {
  /** The API's object, with the resources that the node has given it. Undefined for an orphan, which is removed. */
  readonly pod: Pod | undefined;
  /** Deleted from the API: no status is reported any more. */
  readonly gone: boolean;
  readonly now: Instant;
  readonly hostIp: string;
  readonly sandboxes: readonly Sandbox[];
  readonly containers: readonly RuntimeContainer[];
  readonly volumes: VolumesState;
  /** The last failure to run a sandbox. */
  readonly sandboxFailure: { readonly at: Instant; readonly failures: number } | undefined;
  readonly images: Readonly<Record<string, ImageOutcome>>;
  readonly refusals: Readonly<Record<string, Refusal>>;
  /** By container name: resizes that the engine refused. */
  readonly resizeRefusals: Readonly<Record<string, Omit<Refusal, "reason">>>;
  /** By container id. */
  readonly health: Readonly<Record<string, Health>>;
  /** By container name: the end of the back-off that the last event was recorded for. */
  readonly backoffEvents: Readonly<Record<string, number>>;
  /** Why `pod` has the resources it was given before, not those of the API's object. */
  readonly pendingResize: PendingResize | undefined;
  readonly rejection: Rejection | undefined;
  /** Why the node ends a pod that it had admitted. */
  readonly eviction: Rejection | undefined;
  /** Keys of the actions that were under way when the observation began. */
  readonly underWay: ReadonlySet<string>;
  /** The API has the current status, so the containers that it derives from may be removed. */
  readonly reported: boolean;
  /** Volumes and cgroups are removed. */
  readonly released: boolean;
}
