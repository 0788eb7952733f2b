// The state of a pod's worker that neither the engine nor the API has, lost by a restart of the kubelet, and the
// observation that the pod's decision and status derive from.
import type { Pod } from "../../api/generated/types.ts";
import type { Instant } from "../../api/meta.ts";
import type { Rejection } from "../admission.ts";
import type { HeldTokens } from "../volumes/tokens.ts";
import type { PendingResize } from "../podspec/resources.ts";
import type { Health } from "../probes/prober.ts";
import type { RuntimeContainer, Sandbox } from "../runtime.ts";

/** The outcome of providing the image for one run of a container. */
export type ImageOutcome =
  | { readonly is: "there"; readonly attempt: number }
  | {
      readonly is: "failed";
      readonly attempt: number;
      /** Of the container, or of one of its volumes. */
      readonly image: string;
      readonly reason: "ErrImagePull" | "ErrImageNeverPull" | "InvalidImageName" | "ImageInspectError";
      readonly message: string;
      readonly at: Instant;
      readonly failures: number;
    };

/** Why a container could not be created; retried soon. */
interface Refusal {
  readonly reason: "CreateContainerConfigError" | "CreateContainerError";
  readonly message: string;
  readonly at: Instant;
}

/** Whether the pod's volumes are prepared. */
type VolumesState =
  | { readonly is: "unknown" }
  /** All that the volumes need is there, and drivers are mounting them. */
  | { readonly is: "mounting" }
  /** `until` is when a token has to be renewed. */
  | { readonly is: "ready"; readonly until?: Instant }
  | { readonly is: "failed"; readonly at: Instant; readonly failures: number }
  /** After the last container; only volumes of drivers are unmounted. */
  | { readonly is: "unmounted" };

/** What the pod's decision and status read of the memory. */
interface Remembered {
  /** The API's object; undefined for an orphan, which is removed. */
  pod: Pod | undefined;
  /** Deleted from the API: no status is reported any more. */
  gone: boolean;
  volumes: VolumesState;
  /** The last failure to unmount volumes, and how many there were in a row. */
  unmountFailure: { readonly at: Instant; readonly failures: number } | undefined;
  /** The last failure to run a sandbox. */
  sandboxFailure: { readonly at: Instant; readonly failures: number } | undefined;
  /** By container name, as the three below. */
  readonly images: ReadonlyMap<string, ImageOutcome>;
  readonly refusals: ReadonlyMap<string, Refusal>;
  /** Resizes that the engine refused. */
  readonly resizeRefusals: ReadonlyMap<string, Omit<Refusal, "reason">>;
  /** The end of the back-off that the last event was recorded for. */
  readonly backoffEvents: ReadonlyMap<string, number>;
  /** Why the node does not run the pod. */
  rejection: Rejection | undefined;
  /** Why the node ends a pod that it had admitted. */
  eviction: Rejection | undefined;
  /** Volumes and cgroups are removed. */
  released: boolean;
}

/** Written by the pod's worker and its executors only. */
export interface PodMemory extends Remembered {
  readonly images: Map<string, ImageOutcome>;
  readonly refusals: Map<string, Refusal>;
  readonly resizeRefusals: Map<string, Omit<Refusal, "reason">>;
  readonly backoffEvents: Map<string, number>;
  /** Counts changes of the objects that the volumes show. */
  contentVersion: number;
  tokens: HeldTokens;
  /** Consecutive failures to prepare the volumes. */
  volumeFailures: number;
  readonly terminationMessages: Map<string, string>;
  /** The preStop hooks that were started, by container id. */
  readonly preStopped: Map<string, Promise<void>>;
  admitted: boolean;
}

export const emptyMemory = (): PodMemory => ({
  pod: undefined,
  gone: false,
  volumes: { is: "unknown" },
  contentVersion: 0,
  tokens: new Map(),
  volumeFailures: 0,
  unmountFailure: undefined,
  sandboxFailure: undefined,
  images: new Map(),
  refusals: new Map(),
  resizeRefusals: new Map(),
  backoffEvents: new Map(),
  terminationMessages: new Map(),
  preStopped: new Map(),
  rejection: undefined,
  eviction: undefined,
  admitted: false,
  released: false,
});

/** Marks the volumes as outdated: an object that they show has changed. */
export function invalidateVolumes(memory: PodMemory): void {
  memory.contentVersion += 1;
  memory.volumes = { is: "unknown" };
  memory.refusals.clear();
}

/** `pod` has the resources that the node has given it. */
export interface PodObservation extends Readonly<Remembered> {
  readonly now: Instant;
  readonly hostIp: string;
  readonly sandboxes: readonly Sandbox[];
  readonly containers: readonly RuntimeContainer[];
  /** Whether the engine makes mounts recursively read-only. */
  readonly recursiveReadOnlyMounts: boolean;
  /** By container id. */
  readonly health: Readonly<Record<string, Health>>;
  /** Why `pod` has the resources it was given before, not those of the API's object. */
  readonly pendingResize: PendingResize | undefined;
  /** Keys of the actions that were under way when the observation began. */
  readonly underWay: ReadonlySet<string>;
  /** The API has the current status, so the containers that it derives from may be removed. */
  readonly reported: boolean;
}
