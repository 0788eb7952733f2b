// What a pod's worker sees before it decides: what is wanted, what is there, and what was learnt on the way.
import type { PendingResize } from "../podspec/resize.ts";
import type { Pod } from "../../api/generated/types.ts";
import type { Instant } from "../../api/meta.ts";
import type { Rejection } from "../admission.ts";
import type { Health } from "../probes/prober.ts";
import type { RuntimeContainer, Sandbox } from "../runtime.ts";

/** How getting an image for one run of a container went. */
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

/** Why a container could not be made: not the engine's fault nor the image's, so it is tried again soon. */
export interface Refusal {
  readonly reason: "CreateContainerConfigError" | "CreateContainerError";
  readonly message: string;
  readonly at: Instant;
}

/** Whether the pod's volumes hold what they shall. */
export type VolumesState =
  | { readonly is: "unknown" }
  /** What they show counts until then: a token runs out. */
  | { readonly is: "ready"; readonly until?: Instant }
  | { readonly is: "failed"; readonly at: Instant; readonly failures: number };

export interface PodObservation {
  /**
   * As the API last had it, asking for no more than this node can give; one found running without is only there to be
   * removed.
   */
  readonly pod: Pod | undefined;
  /** No longer in the API: nothing is reported any more. */
  readonly gone: boolean;
  readonly now: Instant;
  readonly hostIp: string;
  readonly sandboxes: readonly Sandbox[];
  readonly containers: readonly RuntimeContainer[];
  readonly volumes: VolumesState;
  /** Why the last attempt at a sandbox failed, and when. */
  readonly sandboxFailure: { readonly at: Instant; readonly failures: number } | undefined;
  readonly images: Readonly<Record<string, ImageOutcome>>;
  readonly refusals: Readonly<Record<string, Refusal>>;
  /** By name: the engine did not let a container that runs have what it asks for now. */
  readonly resizeRefusals: Readonly<Record<string, Omit<Refusal, "reason">>>;
  /** By container id. */
  readonly health: Readonly<Record<string, Health>>;
  /** By container name: the end of the back-off that the last event was recorded for. */
  readonly backoffEvents: Readonly<Record<string, number>>;
  /** Why `pod` asks for what it was given, and not for what the API says. */
  readonly pendingResize: PendingResize | undefined;
  readonly rejection: Rejection | undefined;
  /** Why the node ends a pod that it had admitted. */
  readonly eviction: Rejection | undefined;
  /** Keys of the actions that were under way when the observation began. */
  readonly underWay: ReadonlySet<string>;
  /** The API knows the final status, so what it was computed from may go. */
  readonly reported: boolean;
  /** Volumes and cgroups are gone. */
  readonly released: boolean;
}
