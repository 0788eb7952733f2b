// What a pod's worker has learnt and cannot ask the engine or the API again. A restarted kubelet begins without it.
import type { Pod } from "../../api/generated/types.ts";
import type { Rejection } from "../admission.ts";
import type { HeldTokens } from "../volumes/tokens.ts";
import type { ImageOutcome, PodObservation, Refusal, VolumesState } from "./observation.ts";

/** Only the worker of the pod and the executors it calls write here. */
export interface PodMemory {
  pod: Pod | undefined;
  gone: boolean;
  volumes: VolumesState;
  /** Counts changes of what the volumes are made from. */
  contentVersion: number;
  tokens: HeldTokens;
  /** Failures in a row, which outlive the state of the latest attempt. */
  volumeFailures: number;
  sandboxFailure: PodObservation["sandboxFailure"];
  readonly images: Map<string, ImageOutcome>;
  readonly refusals: Map<string, Refusal>;
  readonly resizeRefusals: Map<string, Omit<Refusal, "reason">>;
  /** By container name: the end of the back-off that the last event was recorded for. */
  readonly backoffEvents: Map<string, number>;
  readonly terminationMessages: Map<string, string>;
  /** Containers whose preStop hook has been called. */
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

/** What the volumes were made from is no longer what it was. */
export function outdateContent(memory: PodMemory): void {
  memory.contentVersion += 1;
  memory.volumes = { is: "unknown" };
  memory.refusals.clear();
}
