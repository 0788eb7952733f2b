// What a resizer does about a claim that requests more: the driver grows the volume, then the node its file system.
// Pure, but for the calls that it returns. Sources: KEP-1790 and the documentation of external-resizer.
import { withCondition } from "../../api/conditions.ts";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimCondition,
  PersistentVolumeClaimStatus,
} from "../../api/generated/types.ts";
import { type Instant, instantOf } from "../../api/meta.ts";
import { memoryQuantity, unitsOf } from "../../api/quantity.ts";
import { csiCapability } from "../../csi/protocol/capabilities.ts";
import { recordEvent, statusTo, updateTo } from "../../machinery/action.ts";
import { type Decision, settled } from "../../machinery/controller.ts";
import { isServed } from "./reclaim.ts";
import { type CallError, callOf, type DriverOptions } from "./sidecar.ts";

export interface ObservedExpansion {
  readonly claim: PersistentVolumeClaim;
  /** The volume that the claim names. */
  readonly volume: PersistentVolume | undefined;
}

type Status = PersistentVolumeClaimStatus;
const resizeConditions = ["Resizing", "FileSystemResizePending", "ControllerResizeError", "NodeResizeError"];
const infeasibleRetryMs = 300_000;
const onNode = ["NodeResizePending", "NodeResizeInProgress"];

const bytesOf = (quantities: Readonly<Record<string, string>> | undefined): number => unitsOf(quantities?.["storage"]);
const stateOf = ({ status }: PersistentVolumeClaim): string => status?.allocatedResourceStatuses?.["storage"] ?? "";

/** The claim's status with these conditions of resizing and no others, and this state of it; undefined for none. */
function resized(
  { status }: PersistentVolumeClaim,
  conditions: readonly PersistentVolumeClaimCondition[],
  state: string | undefined,
): Status {
  const { conditions: before = [], allocatedResourceStatuses, ...rest } = status ?? {};
  const { storage: _, ...others } = allocatedResourceStatuses ?? {};
  const all = [...before.filter(({ type }) => !resizeConditions.includes(type)), ...conditions];
  const states = state === undefined ? others : { ...others, storage: state };
  return {
    ...rest,
    ...(all.length > 0 && { conditions: all }),
    ...(Object.keys(states).length > 0 && { allocatedResourceStatuses: states }),
  };
}

const condition = (
  type: string,
  now: Instant,
  { status }: PersistentVolumeClaim,
  message?: string,
): PersistentVolumeClaimCondition => {
  const before = conditionOf(status?.conditions, type);
  const next = { type, status: "True", ...(message !== undefined && { message }) };
  return withCondition<PersistentVolumeClaimCondition>(before && [before], next, now)[0]!;
};

/** The size to expand to: an expansion that may be under way ends before one to another size begins. */
function targetOf({ claim, volume }: { claim: PersistentVolumeClaim; volume: PersistentVolume }): number | undefined {
  const requested = bytesOf(claim.spec.resources?.requests);
  const allocated = bytesOf(claim.status?.allocatedResources) || undefined;
  const size = bytesOf(volume.spec.capacity);
  const state = stateOf(claim);
  const hasFailed = conditionOf(claim.status?.conditions, "ControllerResizeError") !== undefined;
  if (onNode.includes(state)) {
    const target = size < requested ? (allocated ?? requested) : requested;
    return size >= target ? undefined : target;
  }
  if (state === "NodeResizeInfeasible") return allocated ?? requested;
  if (size >= requested) return allocated ?? requested;
  return state === "ControllerResizeInProgress" && !hasFailed ? (allocated ?? requested) : requested;
}

function succeeded(
  { claim, volume }: { claim: PersistentVolumeClaim; volume: PersistentVolume },
  bytes: number,
  isNodeNext: boolean,
  now: Instant,
): Decision {
  const size = memoryQuantity(Math.max(bytes, bytesOf(volume.spec.capacity)));
  const capacity = { ...volume.spec.capacity, storage: size };
  const grown = updateTo(persistentVolumes, volume, { ...volume, spec: { ...volume.spec, capacity } });
  if (!isNodeNext) {
    const status = resized(claim, [], undefined);
    const finished = { ...status, capacity: { ...status.capacity, storage: memoryQuantity(bytes) } };
    return {
      actions: [
        ...grown,
        ...statusTo<PersistentVolumeClaim>(persistentVolumeClaims, claim, finished),
        recordEvent(claim, "Normal", "VolumeResizeSuccessful", "Resize volume succeeded"),
      ],
    };
  }
  const message = "Waiting for user to (re-)start a pod to finish file system resize of volume on node.";
  const pending = [condition("FileSystemResizePending", now, claim, message)];
  const status = resized(claim, pending, "NodeResizePending");
  return {
    actions: [
      ...grown,
      ...statusTo<PersistentVolumeClaim>(persistentVolumeClaims, claim, status),
      recordEvent(claim, "Normal", "FileSystemResizeRequired", "Require file system resize of volume on node"),
    ],
  };
}

/** An infeasible size is not tried again soon, so that a smaller one can be requested. */
function failed(claim: PersistentVolumeClaim, name: string, driver: string, error: CallError, now: Instant): Decision {
  const message = `resize volume "${name}" by resizer "${driver}" failed: ${error.message}`;
  const event = recordEvent(claim, "Warning", "VolumeResizeFailed", message);
  if (!error.isFinal) return { actions: [event], failure: message };
  const isInfeasible = ["INVALID_ARGUMENT", "OUT_OF_RANGE", "NOT_FOUND"].includes(error.code);
  const conditions = [
    condition("Resizing", now, claim),
    condition("ControllerResizeError", now, claim, `failed to expand pvc with ${error.message}`),
  ];
  const state = isInfeasible ? "ControllerResizeInfeasible" : stateOf(claim);
  const actions = statusTo<PersistentVolumeClaim>(persistentVolumeClaims, claim, resized(claim, conditions, state));
  return isInfeasible
    ? { actions: [...actions, event], because: [message], requeueAfter: infeasibleRetryMs }
    : { actions: [...actions, event], failure: message };
}

/** How long an expansion that was infeasible is not tried again, in milliseconds. */
function untilRetry(claim: PersistentVolumeClaim, now: Instant): number {
  if (stateOf(claim) !== "ControllerResizeInfeasible") return 0;
  const since = conditionOf(claim.status?.conditions, "ControllerResizeError")?.lastTransitionTime;
  return since === undefined ? 0 : Math.max(0, instantOf(since) + infeasibleRetryMs - now);
}

/** The next step for a claim. */
export function decideExpansion({ claim, volume }: ObservedExpansion, options: DriverOptions, now: Instant): Decision {
  const { driver, calls, capabilities } = options;
  if (claim.status?.phase !== "Bound" || volume === undefined || !isServed(volume, options)) return settled;
  if (!capabilities.has("EXPAND_VOLUME") || volume.spec.claimRef?.uid !== claim.metadata.uid) return settled;
  if (bytesOf(claim.spec.resources?.requests) <= bytesOf(claim.status.capacity)) return settled;
  const both = { claim, volume };
  const target = targetOf(both);
  if (target === undefined) return settled;
  if (bytesOf(claim.status.allocatedResources) !== target || stateOf(claim) === "NodeResizeInfeasible") {
    const allocatedResources = { ...claim.status.allocatedResources, storage: memoryQuantity(target) };
    const begun = resized(claim, [condition("Resizing", now, claim)], "ControllerResizeInProgress");
    return {
      actions: statusTo<PersistentVolumeClaim>(persistentVolumeClaims, claim, { ...begun, allocatedResources }),
      because: [`${memoryQuantity(target)} are requested`],
    };
  }
  const wait = untilRetry(claim, now);
  if (wait > 0) return { actions: [], because: ["the size was infeasible"], requeueAfter: wait };
  const { name } = volume.metadata;
  const { volumeHandle, fsType } = volume.spec.csi!;
  const { volumeMode, accessModes = [] } = volume.spec;
  const use = { accessMode: accessModes[0] ?? "ReadWriteOnce", volumeMode, fsType };
  const request = {
    volumeId: volumeHandle,
    capacityRange: { requiredBytes: target },
    volumeCapability: csiCapability(use, capabilities.has("SINGLE_NODE_MULTI_WRITER")),
  };
  return {
    actions: [recordEvent(claim, "Normal", "Resizing", `External resizer is resizing volume ${name}`)],
    effect: callOf("ControllerExpandVolume", () => calls.ControllerExpandVolume(request), {
      succeeded: ({ capacityBytes, nodeExpansionRequired }) =>
        succeeded(both, capacityBytes || target, nodeExpansionRequired, now),
      failed: (error) => failed(claim, name, driver, error, now),
    }),
  };
}
