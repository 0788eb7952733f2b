// The state of a pod's worker that neither the engine nor the API has. A restart of the kubelet loses it.
import type { Pod } from "../../api/generated/types.ts";
import type { Rejection } from "../admission.ts";
import type { HeldTokens } from "../volumes/tokens.ts";
import type { ImageOutcome, PodObservation, Refusal, VolumesState } from "./observation.ts";

/** Written by the pod's worker and its executors only. */
export interface PodMemory {
  pod: Pod | undefined;
  gone: boolean;
  volumes: VolumesState;
  /** Counts changes of the objects that the volumes show. */
  contentVersion: number;
  tokens: HeldTokens;
  /** Consecutive failures to prepare the volumes. */
  volumeFailures: number;
  sandboxFailure: PodObservation["sandboxFailure"];
  readonly images: Map<string, ImageOutcome>;
  readonly refusals: Map<string, Refusal>;
  readonly resizeRefusals: Map<string, Omit<Refusal, "reason">>;
  /** By container name: the end of the back-off that the last event was recorded for. */
  readonly backoffEvents: Map<string, number>;
  readonly terminationMessages: Map<string, string>;
  /** The preStop hooks that were started, by container id. */
  readonly preStopped: Map<string, Promise<void>>;
  rejection: Rejection | undefined;
  /** Why the node ends a pod that it had admitted. */
  eviction: Rejection | undefined;
  admitted: boolean;
  released: boolean;
}

export const emptyMemory = (): PodMemory => ({
  pod: undefined,
  gone: false,
  volumes: { is: "unknown" },
  contentVersion: 0,
  tokens: new Map(),
  volumeFailures: 0,
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
